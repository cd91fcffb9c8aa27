#include "testmon_precreate/selection/working_tree.hpp"
#include <testmon_precreate/util/file_descriptor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace testmon_precreate::selection {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds settling_time{2};

bool is_settled(const util::FileStamp& stamp, std::chrono::system_clock::time_point now) {
  const auto limit =
      std::chrono::duration_cast<std::chrono::nanoseconds>((now - settling_time).time_since_epoch())
          .count();
  return std::max(stamp.modified, stamp.status_changed) < limit;
}

std::string_view word_or_dash(std::string_view word) { return word.empty() ? "-" : word; }

std::string text_of_word(std::string_view word) {
  return word == "-" ? std::string() : std::string(word);
}

} // namespace

WorkingTree::WorkingTree(fs::path rootdir, const fs::path& cache_directory,
                         std::chrono::system_clock::time_point now)
    : rootdir_(std::move(rootdir))
    , cache_(cache_directory, "hashes",
             fmt::format("testmon-precreate {} hashes, 2, of {}", TESTMON_PRECREATE_VERSION,
                         rootdir_.string()))
    , now_(now) {
  recall();
}

void WorkingTree::recall() {
  std::istringstream lines(cache_.read().value_or(""));
  KnownFile known;
  util::FileStamp& stamp = known.stamp;
  ContentHashes& hashes = known.hashes;
  std::string filename;
  while (lines >> stamp.device >> stamp.inode >> stamp.size >> stamp.modified >>
             stamp.status_changed >> hashes.git >> hashes.git_text >> hashes.testmon >>
             hashes.one_reading &&
         lines.get() == ' ' && std::getline(lines, filename)) {
    hashes.git_text = text_of_word(hashes.git_text);
    hashes.testmon = text_of_word(hashes.testmon);
    remembered_.insert_or_assign(filename, known);
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
      known != remembered_.end() && known->second.stamp == util::stamp_of(status)) {
    return known->second;
  }
  const util::FileDescriptor file = util::try_open_file(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const util::FileStamp stamp = util::stamp_of(status);
  try {
    const std::string content = util::read_open_file(file.get(), path, stamp.size);
    ++files_read_;
    return KnownFile{
        .stamp = stamp, .hashes = hash_content(content), .lasting = is_settled(stamp, now_)};
  } catch (const fs::filesystem_error&) {
    return std::nullopt; // it cannot be read, or grows meanwhile
  }
}

void WorkingTree::remember() const {
  std::string text;
  std::size_t kept = 0;
  bool changed = false;
  for (const auto& [filename, known] : seen_) {
    if (!known || !known->lasting || filename.find('\n') != std::string::npos) {
      continue;
    }
    const auto before = remembered_.find(filename);
    changed = changed || before == remembered_.end() || before->second.stamp != known->stamp;
    const util::FileStamp& stamp = known->stamp;
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {} {} {} {} {}\n", stamp.device,
                   stamp.inode, stamp.size, stamp.modified, stamp.status_changed, known->hashes.git,
                   word_or_dash(known->hashes.git_text), word_or_dash(known->hashes.testmon),
                   known->hashes.one_reading ? 1 : 0, filename);
    ++kept;
  }
  if (changed || kept != remembered_.size()) {
    cache_.write(text);
  }
}

} // namespace testmon_precreate::selection
