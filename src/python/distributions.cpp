#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/distributions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

using Directory = std::unique_ptr<DIR, CloseDirectory>;

[[noreturn]] void throw_unreadable(const fs::path& file, const std::string& reason) {
  throw core::EnvironmentProbeError(
      {.what = fmt::format("the metadata of a distribution cannot be read: {}", reason),
       .where = file.string(),
       .hint = "pytest-testmon cannot read it either; install that distribution again"});
}

// What importlib.metadata.PathDistribution.read_text treats as "there is no such file".
bool counts_as_absent(int error) {
  return error == ENOENT || error == EISDIR || error == ENOTDIR || error == EACCES ||
         error == EPERM;
}

// Appends the next part of a file; returns how much came, 0 at the end, -1 with errno set.
ssize_t read_more(int fd, std::string& text) {
  // Name and version are among the first lines of nearly every file.
  constexpr std::size_t first_part = 1024;
  const std::size_t old_size = text.size();
  text.resize(old_size + std::max(first_part, old_size));
  ssize_t count = -1;
  do {
    count = ::read(fd, text.data() + old_size, text.size() - old_size);
  } while (count < 0 && errno == EINTR);
  text.resize(old_size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return count;
}

// Reads the distributions of one entry of sys.path.
class DirectoryScan {
public:
  DirectoryScan(fs::path root, PythonVersion python)
      : root_(std::move(root))
      , python_(python) {}

  void read_into(std::vector<Distribution>& found, bool is_egg) {
    const Directory directory(::opendir(root_.c_str()));
    if (directory == nullptr) {
      return;
    }
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name(static_cast<const char*>(entry->d_name));
      if (names_metadata(name, is_egg)) {
        found.push_back(read_distribution(::dirfd(directory.get()), std::string(name)));
      }
    }
  }

private:
  static bool names_metadata(std::string_view name, bool is_egg) {
    constexpr std::string_view suffix = ".dist-info";
    static_assert(suffix.size() == std::string_view(".egg-info").size() + 1);
    if (name.size() < suffix.size() - 2) {
      return false;
    }
    const std::string lower =
        util::to_lower(name.substr(name.size() - std::min(name.size(), suffix.size())));
    return lower == suffix || lower.ends_with(".egg-info") || (is_egg && lower == "egg-info");
  }

  Distribution read_distribution(int directory, const std::string& name) {
    for (const std::string& file : {name + "/METADATA", name + "/PKG-INFO", name}) {
      if (const auto distribution = read_headers(directory, file)) {
        return *distribution;
      }
    }
    return {};
  }

  // Nothing where the file does not exist or is empty.
  std::optional<Distribution> read_headers(int directory, const std::string& name) {
    const util::FileDescriptor file(
        ::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    text_.clear();
    while (true) {
      const ssize_t count = file ? read_more(file.get(), text_) : -1;
      if (count < 0 && counts_as_absent(errno)) {
        return std::nullopt;
      }
      if (count < 0) {
        throw_unreadable(root_ / name, std::strerror(errno));
      }
      if (text_.empty()) {
        return std::nullopt;
      }
      if (auto distribution = parse(name, count == 0)) {
        return distribution;
      }
    }
  }

  std::optional<Distribution> parse(const std::string& name, bool complete) {
    try {
      return parse_metadata(text_, complete, python_);
    } catch (const std::invalid_argument& error) {
      throw_unreadable(root_ / name, error.what());
    }
  }

  fs::path root_;
  PythonVersion python_;
  std::string text_; // one buffer for all files
};

} // namespace

std::vector<Distribution> find_distributions(std::span<const std::string> sys_path,
                                             const fs::path& working_directory,
                                             PythonVersion python) {
  std::vector<Distribution> found;
  for (const std::string& entry : sys_path) {
    // os.listdir('') fails; Python 3.9 began to list '.' instead.
    if (entry.empty() && python < PythonVersion{3, 9}) {
      continue;
    }
    const std::string base = util::to_lower(entry.substr(entry.rfind('/') + 1));
    // Before Python 3.10, an entry without a base name passes for an egg.
    const bool is_egg = base.ends_with(".egg") || (base.empty() && python < PythonVersion{3, 10});
    fs::path root = working_directory / entry;
    DirectoryScan(root.empty() ? "." : std::move(root), python).read_into(found, is_egg);
  }
  return found;
}

} // namespace testmon_precreate::python
