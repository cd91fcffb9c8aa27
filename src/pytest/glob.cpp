#include "testmon_precreate/pytest/glob.hpp"

#include "paths.hpp"

#include <testmon_precreate/pytest/pattern.hpp>

#include <algorithm>
#include <system_error>

#include <sys/stat.h>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

bool has_magic(std::string_view text) { return text.find_first_of("*?[") != std::string::npos; }

// posixpath.split: the directory without its trailing slashes, and the rest.
std::pair<std::string, std::string> split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return {"", path};
  }
  std::string head = path.substr(0, slash + 1);
  const std::size_t last = head.find_last_not_of('/');
  if (last != std::string::npos) {
    head.resize(last + 1);
  }
  return {head, path.substr(slash + 1)};
}

// The rules of Python's Lib/glob.py, function by function.
class Globber {
public:
  explicit Globber(fs::path base)
      : base_(std::move(base)) {}

  [[nodiscard]] std::vector<std::string> find(const std::string& pattern,
                                              bool directories_only = false) const {
    const auto [directory, name] = split_path(pattern);
    if (!has_magic(pattern)) {
      const bool found = name.empty() ? is_directory(directory) : exists(pattern);
      return found ? std::vector<std::string>{pattern} : std::vector<std::string>{};
    }
    std::vector<std::string> directories{directory};
    if (directory != pattern && has_magic(directory)) {
      directories = find(directory, true);
    }
    std::vector<std::string> found;
    for (const std::string& parent : directories) {
      for (const std::string& child : find_in(parent, name, directories_only)) {
        found.push_back(join(parent, child));
      }
    }
    return found;
  }

private:
  struct Identity {
    dev_t device;
    ino_t inode;

    bool operator==(const Identity&) const = default;
  };

  [[nodiscard]] bool exists(const std::string& path) const {
    std::error_code error;
    return fs::exists(fs::symlink_status(base_ / path, error));
  }

  [[nodiscard]] bool is_directory(const std::string& path) const {
    std::error_code error;
    return fs::is_directory(base_ / path, error);
  }

  [[nodiscard]] std::vector<std::string> list(const std::string& directory,
                                              bool directories_only) const {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(base_ / directory, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code ignored;
      if (!directories_only || entry->is_directory(ignored)) {
        names.push_back(entry->path().filename().string());
      }
    }
    return names;
  }

  [[nodiscard]] std::vector<std::string>
  find_in(const std::string& directory, const std::string& name, bool directories_only) const {
    if (name == "**") {
      std::vector<std::string> found;
      if (directory.empty() || is_directory(directory)) {
        found.emplace_back();
        std::vector<Identity> parents;
        descend(directory, "", directories_only, parents, found);
      }
      return found;
    }
    if (!has_magic(name)) {
      const bool found = name.empty() ? is_directory(directory) : exists(join(directory, name));
      return found ? std::vector<std::string>{name} : std::vector<std::string>{};
    }
    std::vector<std::string> names = list(directory, directories_only);
    const Pattern pattern(name);
    std::erase_if(names, [&](const std::string& candidate) {
      return (candidate.front() == '.' && name.front() != '.') || !pattern.matches(candidate);
    });
    return names;
  }

  // Appends everything below `directory` that is not hidden, as `prefix`/name.
  void descend(const std::string& directory, const std::string& prefix, bool directories_only,
               std::vector<Identity>& parents, std::vector<std::string>& found) const {
    struct stat status {};

    if (::stat((base_ / directory).c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      return;
    }
    const Identity identity{status.st_dev, status.st_ino};
    if (std::find(parents.begin(), parents.end(), identity) != parents.end()) {
      return;
    }
    parents.push_back(identity);
    for (const std::string& name : list(directory, directories_only)) {
      if (name.front() != '.') {
        const std::string path = join(prefix, name);
        found.push_back(path);
        descend(join(directory, name), path, directories_only, parents, found);
      }
    }
    parents.pop_back();
  }

  fs::path base_;
};

} // namespace

std::vector<std::string> glob(std::string_view pattern, const fs::path& directory) {
  std::vector<std::string> found = Globber(directory).find(std::string(pattern));
  std::sort(found.begin(), found.end());
  // A leading `**` also yields the directory itself under the empty name, which Python leaves out.
  found.erase(found.begin(), std::find_if(found.begin(), found.end(),
                                          [](const std::string& name) { return !name.empty(); }));
  return found;
}

} // namespace testmon_precreate::pytest
