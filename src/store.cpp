#include "testmon_precreate/store.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/datafile/snapshot.hpp>
#include <testmon_precreate/datafile_choice.hpp>
#include <testmon_precreate/selection/git.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <random>
#include <string_view>
#include <system_error>
#include <tuple>
#include <vector>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".testmondata";
constexpr std::string_view unfinished_suffix = ".testmondata.tmp";
constexpr util::Seconds busy_timeout{60};
constexpr std::size_t most_commits = 20'000;

// A file name for any text.
std::string escape(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                          (c == '.' && !name.empty());
    if (is_plain) {
      name += c;
    } else {
      fmt::format_to(std::back_inserter(name), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return name;
}

fs::path folder_of(const StoreRequest& request) {
  return request.directory / escape(request.environment_name);
}

fs::path branch_file(const StoreRequest& request, const std::string& branch) {
  return folder_of(request) / "branches" / escape(branch);
}

struct StoredFile {
  fs::path path;
  fs::file_time_type used;
  std::uintmax_t size = 0;
};

// A file may go at any moment, by another push.
std::vector<StoredFile> list_files(const fs::path& folder) {
  std::vector<StoredFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code gone;
    if (name.ends_with(suffix)) {
      const StoredFile file{.path = entry->path(),
                            .used = fs::last_write_time(entry->path(), gone),
                            .size = gone ? 0 : fs::file_size(entry->path(), gone)};
      if (!gone) {
        files.push_back(file);
      }
    } else if (name.ends_with(unfinished_suffix)) {
      const auto written = fs::last_write_time(entry->path(), gone);
      if (!gone && fs::file_time_type::clock::now() - written > std::chrono::hours(24)) {
        fs::remove(entry->path(), gone); // of a push that was killed
      }
    }
  }
  return files;
}

std::size_t remove_surplus(const StoreRequest& request, const fs::path& newest) {
  std::vector<StoredFile> files = list_files(folder_of(request));
  std::sort(files.begin(), files.end(), [&newest](const StoredFile& one, const StoredFile& other) {
    return std::tuple(one.path == newest, one.used) > std::tuple(other.path == newest, other.used);
  });
  std::size_t removed = 0;
  std::uintmax_t bytes = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    bytes += files[i].size;
    std::error_code ignored;
    if (i > 0 && (i >= request.most_files || bytes > request.most_bytes) &&
        fs::remove(files[i].path, ignored)) {
      ++removed;
    }
  }
  return removed;
}

std::string read_branch(const StoreRequest& request) {
  constexpr std::size_t longest = 1000;
  if (request.branch) {
    try {
      return std::string(
          util::strip(util::read_file(branch_file(request, *request.branch), longest)));
    } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch): it was never pushed
    }
  }
  return {};
}

// Returns false if the files cannot be used.
bool try_to_take(const StoreRequest& request, const std::vector<fs::path>& files) {
  try {
    take_over(files, request.datafile, request.rootdir, request.environment);
  } catch (const core::DatabaseError& error) {
    request.warn(error.what());
    return false;
  }
  for (const fs::path& file : files) {
    std::error_code ignored; // a store that cannot be written
    fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
  }
  return true;
}

} // namespace

std::optional<std::string> pull_request_variable(const util::ProcessEnvironment& environment) {
  for (const char* name : {"CI_MERGE_REQUEST_IID", "CIRCLE_PULL_REQUEST"}) {
    if (!environment.get(name).value_or("").empty()) {
      return name;
    }
  }
  if (environment.get("GITHUB_EVENT_NAME").value_or("").starts_with("pull_request")) {
    return "GITHUB_EVENT_NAME";
  }
  const std::string buildkite = environment.get("BUILDKITE_PULL_REQUEST").value_or("false");
  return buildkite.empty() || buildkite == "false" ? std::nullopt
                                                   : std::optional("BUILDKITE_PULL_REQUEST");
}

std::optional<std::string> branch_of(const fs::path& rootdir,
                                     const util::ProcessEnvironment& environment) {
  constexpr std::array variables{
      "GITHUB_HEAD_REF",    "GITHUB_REF_NAME", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
      "CI_COMMIT_REF_NAME", "CIRCLE_BRANCH",   "BUILDKITE_BRANCH"};
  for (const char* name : variables) {
    if (auto value = environment.get(name); value && !value->empty()) {
      return value;
    }
  }
  return selection::current_branch(rootdir, environment);
}

Pushed push_to_store(const StoreRequest& request) {
  const auto head = selection::first_parents(request.rootdir, 1, request.environment);
  if (head.empty()) {
    throw core::CoordinationError({.what = "git knows no commit to push the data file for",
                                   .where = request.rootdir.string(),
                                   .hint = {}});
  }
  fs::create_directories(folder_of(request) / "branches");
  Pushed pushed;
  pushed.file =
      folder_of(request) / fmt::format("{}.{:08x}{}", head.front(), std::random_device()(), suffix);
  util::UnfinishedFile unfinished(fs::path(pushed.file) += ".tmp");
  if (!datafile::copy_datafile(request.datafile, unfinished.path(), busy_timeout)) {
    throw core::CoordinationError(
        {.what = "there is no data file to push", .where = request.datafile.string(), .hint = {}});
  }
  datafile::truncate_wal(unfinished.path(), busy_timeout); // closing it, SQLite removes the log
  unfinished.rename_to(pushed.file);
  std::error_code ignored; // the copy has the times of now already if that fails
  fs::last_write_time(pushed.file, fs::file_time_type::clock::now(), ignored);
  if (request.branch) {
    constexpr mode_t for_all = 0644;
    util::write_file_atomically(branch_file(request, *request.branch), head.front() + '\n',
                                for_all);
  }
  pushed.removed = remove_surplus(request, pushed.file);
  return pushed;
}

std::optional<Pulled> pull_from_store(const StoreRequest& request) {
  std::map<std::string, std::vector<fs::path>, std::less<>> stored; // by commit
  for (const StoredFile& file : list_files(folder_of(request))) {
    const std::string name = file.path.filename().string();
    stored[name.substr(0, name.find('.'))].push_back(file.path);
  }
  if (stored.empty()) {
    return std::nullopt;
  }
  const std::vector<std::string> commits =
      selection::first_parents(request.rootdir, most_commits, request.environment);
  for (std::size_t i = 0; i < commits.size(); ++i) {
    const auto found = stored.find(commits[i]);
    if (found != stored.end() && try_to_take(request, found->second)) {
      return Pulled{.commit = commits[i], .distance = i, .files = found->second.size()};
    }
  }
  const auto found = stored.find(read_branch(request));
  if (found != stored.end() && try_to_take(request, found->second)) {
    return Pulled{.commit = found->first, .distance = std::nullopt, .files = found->second.size()};
  }
  return std::nullopt;
}

} // namespace testmon_precreate
