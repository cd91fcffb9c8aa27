#include "testmon_precreate/run_place.hpp"
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/snapshot.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <vector>

namespace testmon_precreate {

namespace fs = std::filesystem;
using coordination::CoordinationDirectory;

namespace {

using coordination::ended_prefix;
using coordination::is_place_name;
using coordination::random_part;
using coordination::running_prefix;
constexpr util::Seconds busy_timeout{60};

// What the copy held at first.
fs::path origin_of_place(const CoordinationDirectory& place) {
  return place.path() / ".testmondata.origin";
}

// Nothing if a clean-up has removed `shared` meanwhile.
std::optional<fs::path> try_to_make_directory(const fs::path& shared) {
  std::string path = (shared / (std::string(running_prefix) += random_part)).string();
  if (::mkdtemp(path.data()) != nullptr) {
    return path;
  }
  if (errno == ENOENT) {
    return std::nullopt;
  }
  throw core::CoordinationFileError(
      fs::filesystem_error("create", path, std::error_code(errno, std::generic_category())));
}

bool remove_place(const CoordinationDirectory& place) {
  for (const fs::path& file : {datafile_of_place(place), origin_of_place(place)}) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal", ".tmp"}) {
      std::error_code ignored;
      fs::remove(fs::path(file) += suffix, ignored);
    }
  }
  return place.remove();
}

// A file beside the copy says that it is to be merged, also if there was nothing to copy at first.
fs::path mark_of_place(const CoordinationDirectory& place) { return place.path() / ".to-merge"; }

// When the run began. Each attempt to merge changes the directory, none the mark.
fs::file_time_type beginning_of(const CoordinationDirectory& place) {
  std::error_code error;
  const fs::file_time_type marked = fs::last_write_time(mark_of_place(place), error);
  return error ? fs::last_write_time(place.path(), error) : marked;
}

fs::file_time_type::duration age_of(const CoordinationDirectory& place) {
  return fs::file_time_type::clock::now() - beginning_of(place);
}

// Whether the run of a place that is not marked as ended has died.
bool has_died(const CoordinationDirectory& place) {
  constexpr auto longest_run = std::chrono::hours(24);
  if (const auto state = place.read_state()) {
    const auto life = coordination::controller_life(*state);
    return life == coordination::ControllerLife::gone ||
           (life != coordination::ControllerLife::alive &&
            util::Seconds(coordination::age_of(*state)) > longest_run);
  }
  return age_of(place) > longest_run;
}

struct EndedPlace {
  CoordinationDirectory directory;
  bool was_killed = false;
};

// Youngest first.
std::vector<EndedPlace> ended_places(const CoordinationDirectory& shared) {
  std::vector<EndedPlace> places;
  std::error_code error;
  for (fs::directory_iterator entry(shared.path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool has_ended = is_place_name(name, ended_prefix);
    try {
      const CoordinationDirectory place(entry->path());
      if (has_ended || (is_place_name(name, running_prefix) && has_died(place))) {
        places.push_back({place, !has_ended});
      }
    } catch (
        const std::exception&) { // NOLINT(bugprone-empty-catch): it is not to be read: it stays
    }
  }
  std::sort(places.begin(), places.end(), [&](const EndedPlace& one, const EndedPlace& other) {
    return beginning_of(one.directory) > beginning_of(other.directory);
  });
  return places;
}

void merge_place(const EndedPlace& place, const MergeTarget& target) {
  datafile::MergeRequest request;
  request.inputs = {datafile_of_place(place.directory)};
  request.target = target.datafile;
  if (fs::exists(origin_of_place(place.directory))) {
    request.origin = origin_of_place(place.directory);
  }
  request.disk = target.disk;
  request.accept_other_project = true;
  static_cast<void>(datafile::merge(request));
  if (place.was_killed) {
    target.warn(fmt::format("what a run that was killed has recorded is merged into {}",
                            target.datafile.string()));
  }
}

void remove_with_mark(const CoordinationDirectory& place) {
  std::error_code ignored;
  fs::remove(mark_of_place(place), ignored);
  remove_place(place);
}

void merge_and_remove(const EndedPlace& place, const MergeTarget& target) {
  const CoordinationDirectory& directory = place.directory;
  if (fs::exists(mark_of_place(directory)) && fs::exists(datafile_of_place(directory))) {
    merge_place(place, target);
  }
  remove_with_mark(directory);
}

void fill_place(const CoordinationDirectory& place, const fs::path& datafile, bool will_be_merged) {
  place.create();
  const bool copied = datafile::copy_datafile(datafile, datafile_of_place(place), busy_timeout);
  if (will_be_merged) {
    if (copied) {
      datafile::note_origin(datafile_of_place(place), origin_of_place(place));
    }
    util::write_file_atomically(mark_of_place(place), "");
  }
}

bool is_too_old(const CoordinationDirectory& place, std::size_t younger_ones) {
  constexpr std::size_t most_places = 16;
  constexpr auto longest_wait = std::chrono::hours(24 * 7);
  return younger_ones >= most_places || age_of(place) > longest_wait;
}

} // namespace

CoordinationDirectory make_run_place(const CoordinationDirectory& shared, const fs::path& datafile,
                                     bool will_be_merged) {
  std::optional<fs::path> path;
  while (!path) {
    shared.create();
    path = try_to_make_directory(shared.path());
  }
  CoordinationDirectory place(std::move(*path));
  try {
    fill_place(place, datafile, will_be_merged);
  } catch (...) {
    discard_run_place(place);
    throw;
  }
  return place;
}

fs::path datafile_of_place(const CoordinationDirectory& place) {
  return place.path() / ".testmondata";
}

std::optional<CoordinationDirectory> shared_directory_of(const CoordinationDirectory& directory) {
  return is_place_name(directory.path().filename().string(), running_prefix)
             ? std::optional<CoordinationDirectory>(directory.path().parent_path())
             : std::nullopt;
}

bool end_run_place(const CoordinationDirectory& place) {
  if (!fs::exists(mark_of_place(place))) {
    return remove_place(place);
  }
  const bool removed = place.remove();
  const std::string name = place.path().filename().string();
  const std::string ended = std::string(ended_prefix) + name.substr(running_prefix.size());
  fs::rename(place.path(), place.path().parent_path() / ended);
  return removed;
}

void discard_run_place(const CoordinationDirectory& place) {
  remove_with_mark(place);
  leave_shared_directory(CoordinationDirectory(place.path().parent_path()), {});
}

void leave_shared_directory(const CoordinationDirectory& shared,
                            const coordination::Claimant& claimant) {
  try {
    coordination::remove_coordination_files(shared, claimant, false);
  } catch (const core::CoordinationBusy&) { // NOLINT(bugprone-empty-catch)
    // Another run is at work there; it cleans up.
  }
}

void merge_ended_places(const CoordinationDirectory& shared, const MergeTarget& target) {
  std::size_t younger_ones = 0;
  for (const EndedPlace& place : ended_places(shared)) {
    try {
      merge_and_remove(place, target);
    } catch (const std::exception& error) {
      std::error_code ignored;
      if (is_too_old(place.directory, younger_ones++)) {
        fs::remove_all(place.directory.path(), ignored);
        target.warn(fmt::format(
            "what another run has recorded could not be merged and is given up: {}", error.what()));
      } else {
        target.warn(
            fmt::format("what another run has recorded is not merged yet: {}", error.what()));
      }
    }
  }
}

bool has_ended_places(const CoordinationDirectory& shared) { return !ended_places(shared).empty(); }

} // namespace testmon_precreate
