#include "directory_walk.hpp"

#include "paths.hpp"

#include <testmon_precreate/util/directory.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

// A directory that is to be read.
struct Visit {
  std::string path;          // absolute
  bool is_start = false;     // a walk starts here: no rule keeps it out
  bool through_link = false; // a link was followed on the way
};

// Whether `path` is one of its own parents, reached through a link.
bool is_own_parent(const fs::path& path) {
  std::error_code error;
  for (fs::path parent = path.parent_path(); parent.has_relative_path();
       parent = parent.parent_path()) {
    if (fs::equivalent(path, parent, error)) {
      return true;
    }
  }
  return false;
}

// What the entry is after following links.
util::EntryType type_of(const util::DirectoryEntry& entry, const util::FileDescriptor& directory) {
  if (entry.type != util::EntryType::link && entry.type != util::EntryType::unknown) {
    return entry.type;
  }

  struct stat status {};

  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the reader's names end with a NUL
  if (::fstatat(directory.get(), entry.name.data(), &status, 0) != 0) {
    return util::EntryType::other;
  }
  if (S_ISDIR(status.st_mode)) {
    return util::EntryType::directory;
  }
  return S_ISREG(status.st_mode) ? util::EntryType::file : util::EntryType::other;
}

class Walker {
public:
  Walker(const CollectionRules& rules, TestFiles& found)
      : rules_(rules)
      , found_(found) {}

  void walk(const std::string& start) {
    waiting_.push_back({start, true, false});
    while (!waiting_.empty()) {
      const Visit visit = std::move(waiting_.back());
      waiting_.pop_back();
      try {
        read(visit);
      } catch (const fs::filesystem_error& error) {
        found_.warnings.push_back(
            fmt::format("could not read the directory {}: {}", visit.path, error.code().message()));
      }
    }
  }

private:
  void read(const Visit& visit) {
    const util::FileDescriptor directory =
        util::open_file(visit.path, O_RDONLY | O_DIRECTORY | O_NOCTTY);
    const auto& entries = reader_.read(directory, visit.path);
    if (!visit.is_start && rules_.leaves_out_content(visit.path, directory, entries)) {
      return;
    }
    for (const util::DirectoryEntry& entry : entries) {
      const util::EntryType type = type_of(entry, directory);
      if (type == util::EntryType::directory) {
        enter(visit, entry);
      } else if (type == util::EntryType::file && rules_.collects(visit.path, entry.name)) {
        found_.paths.push_back(join(visit.path, entry.name));
      }
    }
  }

  void enter(const Visit& visit, const util::DirectoryEntry& entry) {
    if (rules_.leaves_out_directory(visit.path, entry.name)) {
      return;
    }
    Visit next{join(visit.path, entry.name), false,
               visit.through_link || entry.type == util::EntryType::link};
    if (!next.through_link || !is_own_parent(next.path)) {
      waiting_.push_back(std::move(next));
    }
  }

  const CollectionRules& rules_;
  TestFiles& found_;
  util::DirectoryReader reader_;
  std::vector<Visit> waiting_;
};

} // namespace

void walk_directories(const CollectionRules& rules, const std::vector<std::string>& starts,
                      TestFiles& result) {
  Walker walker(rules, result);
  for (const std::string& start : starts) {
    walker.walk(start);
  }
}

} // namespace testmon_precreate::pytest
