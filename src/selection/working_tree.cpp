#include "testmon_precreate/selection/working_tree.hpp"
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::selection {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_cache = 1U << 30U;
constexpr std::chrono::seconds settling_time{2};

std::int64_t nanoseconds(const timespec& time) {
  return std::chrono::nanoseconds(std::chrono::seconds(time.tv_sec)).count() + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = nanoseconds(status.st_mtim),
          .status_changed = nanoseconds(status.st_ctim)};
}

bool is_settled(const FileStamp& stamp, std::chrono::system_clock::time_point now) {
  const auto limit =
      std::chrono::duration_cast<std::chrono::nanoseconds>((now - settling_time).time_since_epoch())
          .count();
  return std::max(stamp.modified, stamp.status_changed) < limit;
}

// The rest of an open regular file; nothing if it cannot be read or grows meanwhile.
std::optional<std::string> read_rest(int descriptor, std::size_t size) {
  std::string content(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(descriptor, content.data() + filled, size - filled);
    if (count <= 0) {
      return std::nullopt;
    }
    filled += static_cast<std::size_t>(count);
  }
  return content;
}

// The cache's first line: what the rest is about, and in which form.
std::string heading(const fs::path& rootdir) {
  return fmt::format("testmon-precreate {} hashes, 2, of {}", TESTMON_PRECREATE_VERSION,
                     rootdir.string());
}

std::string cache_name(const fs::path& rootdir) {
  return util::cache_file_name("hashes", rootdir.native(), "txt");
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The words of a line, the last one with all the blanks in it.
constexpr std::size_t word_count = 10;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (words.size() + 1 < word_count) {
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) {
      return {};
    }
    words.push_back(line.substr(0, end));
    line.remove_prefix(end + 1);
  }
  words.push_back(line);
  return words;
}

std::string_view word_or_dash(std::string_view word) { return word.empty() ? "-" : word; }

std::string text_of_word(std::string_view word) {
  return word == "-" ? std::string() : std::string(word);
}

} // namespace

WorkingTree::WorkingTree(fs::path rootdir, fs::path cache_directory,
                         std::chrono::system_clock::time_point now)
    : rootdir_(std::move(rootdir))
    , cache_directory_(std::move(cache_directory))
    , now_(now) {
  recall();
}

void WorkingTree::recall() {
  const fs::path file = cache_directory_ / cache_name(rootdir_);
  if (cache_directory_.empty() || !util::is_own_file(file)) {
    return;
  }
  std::string text;
  try {
    text = util::read_file(file, largest_cache, O_NOFOLLOW);
  } catch (const fs::filesystem_error&) {
    return;
  }
  std::vector<std::string_view> lines = util::split(text, '\n');
  if (lines.front() != heading(rootdir_)) {
    return;
  }
  for (const std::string_view line : lines) {
    const std::vector<std::string_view> words = words_of(line);
    KnownFile known;
    FileStamp& stamp = known.stamp;
    if (words.empty() || !read_number(words[0], stamp.device) ||
        !read_number(words[1], stamp.inode) || !read_number(words[2], stamp.size) ||
        !read_number(words[3], stamp.modified) || !read_number(words[4], stamp.status_changed)) {
      continue;
    }
    known.hashes = {.git = std::string(words[5]),
                    .git_text = text_of_word(words[6]),
                    .testmon = text_of_word(words[7]),
                    .one_reading = words[8] == "1"};
    remembered_.insert_or_assign(std::string(words[9]), std::move(known));
  }
}

const ContentHashes* WorkingTree::look_at(std::string_view filename) {
  auto found = seen_.find(filename);
  if (found == seen_.end()) {
    std::string name(filename);
    std::optional<KnownFile> file = read(name);
    found = seen_.emplace_hint(seen_.end(), std::move(name), std::move(file));
  }
  return found->second ? &found->second->hashes : nullptr;
}

std::optional<WorkingTree::KnownFile> WorkingTree::read(const std::string& filename) {
  const fs::path path = rootdir_ / filename;

  struct stat status {};

  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  if (const auto known = remembered_.find(filename);
      known != remembered_.end() && known->second.stamp == stamp_of(status)) {
    return known->second;
  }
  const util::FileDescriptor file = util::try_open_file(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const auto content = read_rest(file.get(), static_cast<std::size_t>(status.st_size));
  if (!content) {
    return std::nullopt;
  }
  ++files_read_;
  KnownFile known{.stamp = stamp_of(status), .hashes = hash_content(*content), .lasting = true};
  known.lasting = is_settled(known.stamp, now_);
  return known;
}

void WorkingTree::remember() const {
  if (cache_directory_.empty()) {
    return;
  }
  std::string text = heading(rootdir_) + '\n';
  std::size_t kept = 0;
  bool changed = false;
  for (const auto& [filename, known] : seen_) {
    if (!known || !known->lasting || filename.find('\n') != std::string::npos) {
      continue;
    }
    const auto before = remembered_.find(filename);
    changed = changed || before == remembered_.end() || before->second.stamp != known->stamp;
    const FileStamp& stamp = known->stamp;
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {} {} {} {} {}\n", stamp.device,
                   stamp.inode, stamp.size, stamp.modified, stamp.status_changed, known->hashes.git,
                   word_or_dash(known->hashes.git_text), word_or_dash(known->hashes.testmon),
                   known->hashes.one_reading ? 1 : 0, filename);
    ++kept;
  }
  if (!changed && kept == remembered_.size()) {
    return;
  }
  try {
    util::write_cache_file(cache_directory_, cache_name(rootdir_), text);
  } catch (const fs::filesystem_error&) {
    return; // a home that cannot be written
  }
}

} // namespace testmon_precreate::selection
