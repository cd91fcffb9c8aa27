#include "zip_archive.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/distributions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void throw_unreadable(const fs::path& file, const std::string& reason) {
  throw core::EnvironmentProbeError(
      {.what = fmt::format("the metadata of a distribution cannot be read: {}", reason),
       .where = file.string(),
       .hint = "pytest-testmon cannot read it either; install that distribution again"});
}

// Which names importlib.metadata takes for metadata; `is_egg` where the entry of sys.path is one.
// It compares in lower case; no letter beyond ASCII becomes one of these.
bool names_metadata(std::string_view name, bool is_egg) {
  constexpr std::size_t longest_suffix = std::string_view(".dist-info").size();
  const std::string lower =
      util::to_lower(name.substr(name.size() - std::min(name.size(), longest_suffix)));
  return lower.ends_with(".dist-info") || lower.ends_with(".egg-info") ||
         (is_egg && name.size() == lower.size() && lower == "egg-info");
}

// How much of a file to read next. Name and version are among the first lines of nearly every one;
// where they are not, parts grow slowly, so that little is read beyond the headers.
std::size_t next_part(const std::string& text) {
  constexpr std::size_t smallest_part = 1024;
  return std::max(smallest_part, text.size() / 8);
}

// Collects the distributions of one entry of sys.path.
class EntryScan {
public:
  EntryScan(fs::path root, bool is_egg, PythonVersion python, std::vector<Distribution>& found)
      : root_(std::move(root))
      , is_egg_(is_egg)
      , python_(python)
      , found_(found) {}

  void run() {
    const Directory directory(::opendir(root_.c_str()));
    if (directory != nullptr) {
      scan_directory(directory.get());
    } else if (errno == ENOTDIR && fs::is_regular_file(root_)) {
      scan_zip();
    }
  }

private:
  struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
  };

  using Directory = std::unique_ptr<DIR, CloseDirectory>;

  void scan_directory(DIR* directory) {
    while (const dirent* entry = ::readdir(directory)) {
      const char* const name = static_cast<const char*>(entry->d_name);
      if (names_metadata(name, is_egg_)) {
        found_.push_back(read_distribution(::dirfd(directory), name));
        found_.back().metadata = root_ / name;
      }
    }
  }

  // METADATA of a .dist-info directory, PKG-INFO of an .egg-info one, or the file itself.
  Distribution read_distribution(int directory, const std::string& name) {
    for (const std::string& file : {name + "/METADATA", name + "/PKG-INFO", name}) {
      if (auto distribution = read_file(directory, file)) {
        return *std::move(distribution);
      }
    }
    return {};
  }

  // Nothing where the file does not exist, must not be read, or is empty.
  std::optional<Distribution> read_file(int directory, const std::string& name) {
    const util::FileDescriptor file(
        ::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) {
      check_counts_as_absent(name);
      return std::nullopt;
    }
    return read_headers(name, [&] { return append_from(file.get(), name); });
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

  void scan_zip() {
    std::optional<ZipArchive> archive = ZipArchive::open(
        root_, [this](std::string_view name) { return names_metadata(name, is_egg_); });
    if (!archive.has_value()) {
      return;
    }
    for (const std::string& child : archive->children()) {
      auto distribution = read_zipped(*archive, child + "/METADATA");
      if (!distribution.has_value()) {
        distribution = read_zipped(*archive, child + "/PKG-INFO");
      }
      // Unlike on disk, a file in this place is never read: zipfile.Path asks for `child/`.
      found_.push_back(std::move(distribution).value_or(Distribution()));
    }
  }

  std::optional<Distribution> read_zipped(ZipArchive& archive, const std::string& name) {
    try {
      if (!archive.start_entry(name)) {
        return std::nullopt;
      }
      return read_headers(name, [&] { return archive.read_more(text_, next_part(text_)) > 0; });
    } catch (const std::runtime_error& error) {
      if (dynamic_cast<const core::CoordinationError*>(&error) != nullptr) {
        throw;
      }
      throw_unreadable(root_ / name, error.what());
    }
  }

  // Has `append` read more into the buffer until both headers are known, or known to be missing.
  template <typename Append>
  std::optional<Distribution> read_headers(const std::string& name, Append append) {
    text_.clear();
    while (true) {
      const bool complete = !append();
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
  bool is_egg_;
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
  for (const std::string& entry : sys_path) {
    // os.listdir('') fails; Python 3.9 began to list '.' instead.
    const bool is_passed_over = entry.empty() && python < PythonVersion{3, 9};
    if (!is_passed_over && seen.insert(entry).second) {
      const fs::path root = working_directory / entry;
      EntryScan(root.empty() ? fs::path(".") : root, is_egg(entry, python), python, found).run();
    }
  }
  return found;
}

} // namespace testmon_precreate::python
