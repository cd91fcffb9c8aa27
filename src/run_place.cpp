#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/coordination/takeover.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/run_place.hpp>

#include <chrono>
#include <cstdlib>
#include <system_error>

namespace testmon_precreate {

namespace fs = std::filesystem;
using coordination::CoordinationDirectory;

namespace {

constexpr std::string_view place_prefix = "run-";
constexpr std::string_view random_part = "XXXXXX"; // as mkdtemp(3) takes it

bool is_place_name(const std::string& name) {
  return name.starts_with(place_prefix) && name.size() == place_prefix.size() + random_part.size();
}

// Nothing if a clean-up has removed `shared` meanwhile.
std::optional<fs::path> try_to_make_directory(const fs::path& shared) {
  std::string path = (shared / (std::string(place_prefix) += random_part)).string();
  if (::mkdtemp(path.data()) != nullptr) {
    return path;
  }
  if (errno == ENOENT) {
    return std::nullopt;
  }
  throw core::CoordinationFileError(
      fs::filesystem_error("create", path, std::error_code(errno, std::generic_category())));
}

bool is_over(const CoordinationDirectory& place) {
  constexpr auto longest_run = std::chrono::hours(24);
  if (const auto state = place.read_state()) {
    const auto life = coordination::controller_life(*state);
    return life == coordination::ControllerLife::gone ||
           (life != coordination::ControllerLife::alive &&
            util::Seconds(coordination::age_of(*state)) > longest_run);
  }
  return fs::file_time_type::clock::now() - fs::last_write_time(place.path()) > longest_run;
}

} // namespace

CoordinationDirectory make_run_place(const CoordinationDirectory& shared) {
  while (true) {
    shared.create();
    if (auto path = try_to_make_directory(shared.path())) {
      return CoordinationDirectory(std::move(*path));
    }
  }
}

fs::path datafile_of_place(const CoordinationDirectory& place) {
  return place.path() / ".testmondata";
}

std::optional<CoordinationDirectory> shared_directory_of(const CoordinationDirectory& directory) {
  return is_place_name(directory.path().filename().string())
             ? std::optional<CoordinationDirectory>(directory.path().parent_path())
             : std::nullopt;
}

bool remove_run_place(const CoordinationDirectory& place) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".tmp"}) {
    std::error_code ignored;
    fs::remove(datafile_of_place(place) += suffix, ignored);
  }
  const bool removed = place.remove();
  try {
    coordination::clean_up(CoordinationDirectory(place.path().parent_path()), {}, false);
  } catch (const core::CoordinationBusy&) { // NOLINT(bugprone-empty-catch)
    // Another run is at work there; it cleans up.
  }
  return removed;
}

void remove_abandoned_places(const CoordinationDirectory& shared) noexcept {
  std::error_code error;
  for (fs::directory_iterator entry(shared.path(), error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_place_name(entry->path().filename().string())) {
      try {
        if (const CoordinationDirectory place(entry->path()); is_over(place)) {
          remove_run_place(place);
        }
      } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it stays
      }
    }
  }
}

} // namespace testmon_precreate
