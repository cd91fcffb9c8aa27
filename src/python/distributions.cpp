#include "testmon_precreate/python/distributions.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/directory.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void throw_unreadable(const fs::path& file, const std::string& reason) {
  throw core::EnvironmentProbeError(
      {.what = fmt::format("the metadata of a distribution cannot be read: {}", reason),
       .where = file.string(),
       .hint = "pytest-testmon cannot read it either; reinstall that distribution"});
}

// Which names importlib.metadata takes for metadata; `is_egg`: the entry of sys.path is one.
// It compares in lower case; no letter beyond ASCII becomes one of these.
bool names_metadata(std::string_view name, bool is_egg) {
  constexpr std::size_t longest_suffix = std::string_view(".dist-info").size();
  const std::string lower =
      util::to_lower(name.substr(name.size() - std::min(name.size(), longest_suffix)));
  return lower.ends_with(".dist-info") || lower.ends_with(".egg-info") ||
         (is_egg && name.size() == lower.size() && lower == "egg-info");
}

// How much of a file to read next. Name and version are among the first lines of nearly every one;
// if they are not, parts grow slowly, so that little is read beyond the headers.
std::size_t next_part(const std::string& text) {
  constexpr std::size_t smallest_part = 1024;
  return std::max(smallest_part, text.size() / 8);
}

// Collects the distributions of one entry of sys.path.
class EntryScan {
public:
  EntryScan(fs::path root, PythonVersion python, std::vector<Distribution>& found)
      : root_(std::move(root))
      , python_(python)
      , found_(found) {}

  void run(util::DirectoryReader& reader, bool is_egg) {
    const util::FileDescriptor directory(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
      return;
    }
    try {
      for (const util::DirectoryEntry& entry : reader.read(directory, root_)) {
        if (names_metadata(entry.name, is_egg)) {
          const std::string name(entry.name);
          found_.push_back(read_distribution(directory.get(), name));
          found_.back().metadata = root_ / name;
        }
      }
    } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch): as os.listdir there
    }
  }

private:
  // METADATA of a .dist-info directory, PKG-INFO of an .egg-info one, or the file itself.
  Distribution read_distribution(int directory, const std::string& name) {
    for (const std::string& file : {name + "/METADATA", name + "/PKG-INFO", name}) {
      if (auto distribution = read_file(directory, file)) {
        return *std::move(distribution);
      }
    }
    return {};
  }

  // Nothing if the file does not exist, must not be read, or is empty.
  std::optional<Distribution> read_file(int directory, const std::string& name) {
    const util::FileDescriptor file(
        ::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) {
      check_counts_as_absent(name);
      return std::nullopt;
    }
    return read_headers(file.get(), name);
  }

  // Reads the next part; returns whether there was any more.
  bool append_from(int fd, const std::string& name) {
    const std::size_t old_size = text_.size();
    text_.resize(old_size + next_part(text_));
    ssize_t count = -1;
    do {
      count = ::read(fd, text_.data() + old_size, text_.size() - old_size);
    } while (count < 0 && errno == EINTR);
    text_.resize(old_size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0) {
      check_counts_as_absent(name);
    }
    return count > 0;
  }

  // PathDistribution.read_text suppresses these errors and no others.
  void check_counts_as_absent(const std::string& name) const {
    if (errno != ENOENT && errno != EISDIR && errno != ENOTDIR && errno != EACCES &&
        errno != EPERM) {
      throw_unreadable(root_ / name, std::strerror(errno));
    }
  }

  // Reads more until both headers are known, or known to be missing.
  std::optional<Distribution> read_headers(int fd, const std::string& name) {
    text_.clear();
    while (true) {
      const bool complete = !append_from(fd, name);
      if (text_.empty()) {
        return std::nullopt;
      }
      try {
        if (auto distribution = parse_metadata(text_, complete, python_)) {
          return distribution;
        }
      } catch (const std::invalid_argument& error) {
        throw_unreadable(root_ / name, error.what());
      }
    }
  }

  fs::path root_;
  PythonVersion python_;
  std::vector<Distribution>& found_;
  std::string text_; // one buffer for all files
};

// Whether `EGG-INFO` in this entry is metadata (importlib.metadata.FastPath, Lookup).
bool is_egg(std::string_view entry, PythonVersion python) {
  const std::string base = util::to_lower(entry.substr(entry.rfind('/') + 1));
  // Before Python 3.10, an entry without a base name passes for one.
  return base.ends_with(".egg") || (base.empty() && python < PythonVersion{3, 10});
}

} // namespace

std::vector<Distribution> find_distributions(std::span<const std::string> sys_path,
                                             const fs::path& working_directory,
                                             PythonVersion python) {
  std::vector<Distribution> found;
  std::set<std::string_view> seen;
  util::DirectoryReader reader;
  for (const std::string& entry : sys_path) {
    // os.listdir('') fails; Python 3.9 began to list '.' instead.
    const bool is_passed_over = entry.empty() && python < PythonVersion{3, 9};
    if (!is_passed_over && seen.insert(entry).second) {
      const fs::path root = working_directory / entry;
      EntryScan(root.empty() ? fs::path(".") : root, python, found)
          .run(reader, is_egg(entry, python));
    }
  }
  return found;
}

} // namespace testmon_precreate::python
