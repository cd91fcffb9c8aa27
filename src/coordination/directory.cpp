#include "testmon_precreate/coordination/directory.hpp"

#include "file_errors.hpp"
#include "locks.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view acknowledgment_prefix = "worker_";
constexpr std::string_view acknowledgment_suffix = "_ready";
constexpr const char* ignore_name = ".gitignore";
constexpr std::string_view ignore_content = "*\n";
constexpr const char* test_files_name = "test_files.txt";

// Files in a directory that other users can change prove nothing about a run.
void check_ownership(const util::DirectoryHandle& directory) {
  const struct stat status = directory.status();
  if (status.st_uid != ::geteuid()) {
    throw core::CoordinationFileError(
        {.what = fmt::format("the coordination directory belongs to user {}, not to you ({})",
                             status.st_uid, ::geteuid()),
         .where = directory.path().string(),
         .hint = "Remove it, or set TESTMON_XDIST_DIR to another one"});
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw core::CoordinationFileError(
        {.what = fmt::format("other users can write to the coordination directory (mode {:o})",
                             status.st_mode & 07777U),
         .where = directory.path().string(),
         .hint = "Run chmod 700 on it"});
  }
}

bool is_our_temporary_name(std::string_view name) {
  return name.starts_with('.') && name.ends_with(".tmp") &&
         (name.starts_with(fmt::format(".{}.", state_name)) ||
          name.starts_with(fmt::format(".{}.", test_files_name)) ||
          name.starts_with(fmt::format(".{}.", ignore_name)) || name.starts_with(".worker_"));
}

bool is_our_name(std::string_view name) {
  return name == state_name || name == test_files_name || is_acknowledgment_name(name) ||
         is_our_temporary_name(name);
}

bool is_our_gitignore(const util::DirectoryHandle& directory) {
  try {
    return directory.read_file(ignore_name, ignore_content.size()) == ignore_content;
  } catch (const fs::filesystem_error&) {
    return false;
  }
}

// Makes a private directory, and its parents as usual ones, if they are missing.
void make_directory(const fs::path& path) {
  int error = ::mkdir(path.c_str(), S_IRWXU) == 0 ? 0 : errno;
  if (error == ENOENT && path.has_parent_path()) {
    fs::create_directories(path.parent_path());
    error = ::mkdir(path.c_str(), S_IRWXU) == 0 ? 0 : errno;
  }
  if (error != 0 && error != EEXIST) {
    util::throw_errno("create", path, error);
  }
}

// Only in an empty directory: in one that the user has chosen, a `.gitignore` of `*` would hide the
// files that are there.
void add_gitignore(const util::DirectoryHandle& directory) {
  if (directory.names().empty()) {
    directory.write_file_atomically(ignore_name, ignore_content);
  }
}

} // namespace

bool is_place_name(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() == prefix.size() + random_part.size();
}

std::optional<util::FileStamp> state_stamp(const util::DirectoryHandle& directory) {
  struct stat status {};

  if (::fstatat(directory.get(), state_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return util::stamp_of(status);
}

std::string acknowledgment_name(std::string_view worker_id) {
  core::check_worker_id(worker_id);
  return fmt::format("{}{}{}", acknowledgment_prefix, worker_id, acknowledgment_suffix);
}

bool is_acknowledgment_name(std::string_view name) {
  return name.size() > acknowledgment_prefix.size() + acknowledgment_suffix.size() &&
         name.starts_with(acknowledgment_prefix) && name.ends_with(acknowledgment_suffix);
}

void CoordinationDirectory::create() const {
  // Each attempt but the last one means that a clean-up has removed the directory meanwhile.
  constexpr int most_attempts = 100;
  for (int attempt = 1;; ++attempt) {
    try {
      make_directory(path_);
      add_gitignore(open_existing());
      return;
    } catch (const fs::filesystem_error& error) {
      if (!is_absence(error) || attempt == most_attempts) {
        throw core::CoordinationFileError(error);
      }
    }
  }
}

bool CoordinationDirectory::may_have_state() const {
  struct stat status {};

  return ::lstat(state_path().c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

void CoordinationDirectory::write_state(const CoordinationState& state) const {
  const std::string json = to_json(state);
  if (json.size() > largest_state) {
    throw core::InvalidCoordinationState(
        {.what = fmt::format("the state would be larger than {} KiB", largest_state / 1024),
         .where = state_path().string(),
         .hint = ""});
  }
  translate_file_errors([&] { open_existing().write_file_atomically(state_name, json); });
}

void CoordinationDirectory::write_test_files(const std::vector<std::string>& paths) const {
  std::string lines;
  for (const std::string& path : paths) {
    if (path.find('\n') != std::string::npos) {
      throw core::InvalidCoordinationState(
          {.what = "a test file's path holds a line feed", .where = path, .hint = ""});
    }
    lines.append(path).append("\n");
  }
  translate_file_errors([&] { open_existing().write_file_atomically(test_files_name, lines); });
}

std::optional<CoordinationState> CoordinationDirectory::read_state(util::FileStamp* stamp) const {
  return translate_file_errors([&]() -> std::optional<CoordinationState> {
    const auto directory = open();
    if (!directory) {
      return std::nullopt;
    }
    std::optional<std::string> json;
    try {
      json = directory->read_file_if_present(state_name, largest_state, stamp);
    } catch (const fs::filesystem_error& error) {
      if (error.code() == std::errc::file_too_large) {
        static_cast<void>(parse_state(std::string(largest_state + 1, ' '), state_path().string()));
      }
      throw;
    }
    return json ? std::optional(parse_state(*json, state_path().string())) : std::nullopt;
  });
}

std::vector<Acknowledgment> CoordinationDirectory::read_acknowledgments() const {
  std::vector<Acknowledgment> acknowledgments;
  translate_file_errors([&] {
    const auto directory = open();
    if (!directory) {
      return;
    }
    for (const std::string& name : directory->names()) {
      if (!is_acknowledgment_name(name)) {
        continue;
      }
      try {
        Acknowledgment found =
            parse_acknowledgment(directory->read_file(name, largest_acknowledgment), name);
        if (acknowledgment_name(found.worker_id) == name) {
          acknowledgments.push_back(std::move(found));
        }
      } catch (
          const core::InvalidCoordinationState&) { // NOLINT(bugprone-empty-catch): as if absent
      } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch): removed meanwhile, or
                                              // no file
      }
    }
  });
  std::sort(
      acknowledgments.begin(), acknowledgments.end(),
      [](const Acknowledgment& a, const Acknowledgment& b) { return a.worker_id < b.worker_id; });
  return acknowledgments;
}

bool CoordinationDirectory::remove() const {
  return translate_file_errors([&] {
    const auto directory = open();
    if (!directory) {
      return false;
    }
    bool removed = false;
    bool has_waiting_run = false;
    bool has_places = false;
    for (const std::string& name : directory->names()) {
      has_places =
          has_places || is_place_name(name, running_prefix) || is_place_name(name, ended_prefix);
      has_waiting_run = has_waiting_run || name.starts_with(queue_prefix);
      removed = (is_our_name(name) && directory->remove_regular_file(name)) || removed;
    }
    if (has_waiting_run) {
      return removed;
    }
    if (!has_places && is_our_gitignore(*directory)) { // git must not see those either
      removed = directory->remove_regular_file(ignore_name) || removed;
    }
    // The lock goes last: from then on another run may be at work here.
    removed = directory->remove_regular_file(lock_name) || removed;
    return ::rmdir(path_.c_str()) == 0 || removed;
  });
}

std::optional<util::DirectoryHandle> CoordinationDirectory::open() const {
  try {
    auto directory = util::DirectoryHandle::open_if_present(path_);
    if (directory) {
      check_ownership(*directory);
    }
    return directory;
  } catch (const fs::filesystem_error& error) {
    if (fs::is_symlink(fs::symlink_status(path_))) {
      throw core::CoordinationFileError({.what = "the coordination directory is a symbolic link",
                                         .where = path_.string(),
                                         .hint = "Set TESTMON_XDIST_DIR to the directory itself"});
    }
    throw core::CoordinationFileError(error);
  }
}

util::DirectoryHandle CoordinationDirectory::open_existing() const {
  if (auto directory = open()) {
    return std::move(*directory);
  }
  util::throw_errno("open", path_, ENOENT);
}

} // namespace testmon_precreate::coordination
