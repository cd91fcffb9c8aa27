#include "testmon_precreate/datafile/locks.hpp"
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/process_identity.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_proc_text = std::size_t{16} * 1024 * 1024;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words = util::split(line, ' ');
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  return words;
}

// `1: POSIX ADVISORY WRITE 3568 fd:00:2531452 1073741824 1073742335`; a blocked one has `->`.
std::optional<FileLock> parse_lock(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  constexpr std::size_t fields = 8;
  if (words.size() != fields || words[1] == "->") {
    return std::nullopt;
  }
  const auto pid = util::parse_number<pid_t>(words[4]);
  const auto inode = util::parse_number<ino_t>(words[5].substr(words[5].rfind(':') + 1));
  const auto first_byte = util::parse_number<long long>(words[6]);
  if (!pid || !inode || !first_byte) {
    return std::nullopt;
  }
  return FileLock{*pid, words[3] == "WRITE", *inode, *first_byte};
}

std::optional<ino_t> inode_of(const fs::path& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 ? std::optional(status.st_ino) : std::nullopt;
}

std::string read_proc_file(const std::string& path) {
  try {
    return util::read_file(path, most_proc_text);
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

std::string describe_process(pid_t pid) {
  std::string command = read_proc_file(fmt::format("/proc/{}/cmdline", pid));
  std::replace(command.begin(), command.end(), '\0', ' ');
  constexpr std::size_t longest = 120;
  std::string text(util::strip(command).substr(0, longest));
  if (text.empty()) {
    text = "name unknown";
  }
  if (const auto ticks = util::process_start_ticks(pid)) {
    const auto age = util::wall_clock_now() - util::start_ticks_to_wall_clock(*ticks);
    text += fmt::format(", started {:.0f} s ago", std::max(0.0, age.count()));
  }
  return fmt::format("process {} ({})", pid, text);
}

} // namespace

std::vector<FileLock> parse_locks(std::string_view text) {
  std::vector<FileLock> locks;
  for (const std::string_view line : util::split(text, '\n')) {
    if (const auto lock = parse_lock(line)) {
      locks.push_back(*lock);
    }
  }
  return locks;
}

std::string describe_lock_holders(const fs::path& file) {
  const auto database = inode_of(file);
  const auto index = inode_of(shm_path(file));
  constexpr long long first_index_lock = 120;
  constexpr long long last_index_lock = 127;
  std::set<pid_t> writers;
  std::set<pid_t> readers;
  for (const FileLock& lock : parse_locks(read_proc_file("/proc/locks"))) {
    const bool of_index = lock.inode == index && lock.first_byte >= first_index_lock &&
                          lock.first_byte <= last_index_lock;
    if (lock.pid != ::getpid() && (of_index || lock.inode == database)) {
      (lock.exclusive ? writers : readers).insert(lock.pid);
    }
  }
  std::string text;
  for (const pid_t pid : writers.empty() ? readers : writers) {
    text += (text.empty() ? "" : ", ") + describe_process(pid);
  }
  return text;
}

} // namespace testmon_precreate::datafile
