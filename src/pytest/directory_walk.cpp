#include "directory_walk.hpp"

#include <testmon_precreate/util/directory.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

// A directory that is to be read.
struct Visit {
  std::string path;         // absolute
  bool is_start = false;    // a walk starts here: no rule keeps it out
  bool behind_link = false; // a link was followed on the way
};

// The directories that wait, shared by the threads of a walk.
class VisitQueue {
public:
  // Visits are taken and put in batches, so that threads seldom meet at the lock.
  static constexpr std::size_t batch_size = 16;

  explicit VisitQueue(std::vector<Visit> visits)
      : waiting_(std::move(visits)) {}

  // Some visits to make; none when all are made. Counts the caller as busy until give_back.
  [[nodiscard]] std::vector<Visit> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || busy_ == 0; });
    // A share for each thread, so that none waits for one that took all.
    const std::size_t count = std::min(batch_size, (waiting_.size() + 1) / 2);
    std::vector<Visit> batch(
        std::make_move_iterator(waiting_.end() - static_cast<std::ptrdiff_t>(count)),
        std::make_move_iterator(waiting_.end()));
    waiting_.resize(waiting_.size() - count);
    busy_ += batch.empty() ? 0U : 1U;
    return batch;
  }

  // Ends what take began; returns how many visits wait now.
  std::size_t give_back(std::vector<Visit>&& discovered) {
    const std::lock_guard lock(mutex_);
    --busy_;
    std::move(discovered.begin(), discovered.end(), std::back_inserter(waiting_));
    discovered.clear();
    changed_.notify_all();
    return waiting_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Visit> waiting_;
  std::size_t busy_ = 0;
};

// Whether `path` is one of its own parents, reached through a link.
bool is_own_parent(const std::string& path) {
  struct stat own {};

  if (::stat(path.c_str(), &own) != 0) {
    return false;
  }
  for (fs::path parent = fs::path(path).parent_path(); parent.has_relative_path();
       parent = parent.parent_path()) {
    struct stat status {};

    if (::stat(parent.c_str(), &status) == 0 && status.st_ino == own.st_ino &&
        status.st_dev == own.st_dev) {
      return true;
    }
  }
  return false;
}

// What the entry is once links are followed.
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

std::string child_path(const Visit& visit, std::string_view name) {
  std::string path;
  path.reserve(visit.path.size() + 1 + name.size());
  path += visit.path;
  if (path != "/") {
    path += '/';
  }
  path += name;
  return path;
}

// Reads directories for one thread.
class Walker {
public:
  explicit Walker(const CollectionRules& rules)
      : rules_(rules) {}

  // Works until the queue is done. `on_backlog` is told how many visits wait.
  template <typename OnBacklog>
  TestFiles run(VisitQueue& queue, const OnBacklog& on_backlog) {
    while (true) {
      const std::vector<Visit> batch = queue.take();
      if (batch.empty()) {
        return std::move(found_);
      }
      try {
        read_all(batch);
      } catch (...) {
        // Whoever waits for this thread's visits must not wait for ever.
        queue.give_back({});
        throw;
      }
      on_backlog(queue.give_back(std::move(discovered_)));
      discovered_.clear();
    }
  }

private:
  void read_all(const std::vector<Visit>& batch) {
    for (const Visit& visit : batch) {
      try {
        read(visit);
      } catch (const fs::filesystem_error& error) {
        found_.warnings.push_back(
            fmt::format("could not read the directory {}: {}", visit.path, error.code().message()));
      }
    }
  }

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
        found_.paths.push_back(child_path(visit, entry.name));
      }
    }
  }

  void enter(const Visit& visit, const util::DirectoryEntry& entry) {
    if (rules_.leaves_out_directory(visit.path, entry.name)) {
      return;
    }
    Visit next{child_path(visit, entry.name), false,
               visit.behind_link || entry.type == util::EntryType::link};
    if (!next.behind_link || !is_own_parent(next.path)) {
      discovered_.push_back(std::move(next));
    }
  }

  const CollectionRules& rules_;
  util::DirectoryReader reader_;
  std::vector<Visit> discovered_;
  TestFiles found_;
};

void append(TestFiles& target, TestFiles&& source) {
  std::move(source.paths.begin(), source.paths.end(), std::back_inserter(target.paths));
  std::move(source.warnings.begin(), source.warnings.end(), std::back_inserter(target.warnings));
}

} // namespace

void walk_directories(const CollectionRules& rules, const std::vector<std::string>& starts,
                      TestFiles& result) {
  std::vector<Visit> visits;
  visits.reserve(starts.size());
  for (const std::string& start : starts) {
    visits.push_back({start, true, false});
  }
  VisitQueue queue(std::move(visits));
  // Most projects are read before a second thread has started.
  constexpr std::size_t worth_threads = 64;
  constexpr unsigned most_threads = 4;
  std::vector<std::future<TestFiles>> helpers;
  const auto start_helpers = [&](std::size_t waiting) {
    if (waiting < worth_threads || !helpers.empty()) {
      return;
    }
    const unsigned count = std::min(std::thread::hardware_concurrency(), most_threads);
    try {
      for (unsigned i = 1; i < count; ++i) {
        helpers.push_back(std::async(std::launch::async, [&rules, &queue] {
          return Walker(rules).run(queue, [](std::size_t) {});
        }));
      }
    } catch (const std::system_error&) { // NOLINT(bugprone-empty-catch)
      // No more threads are allowed here; those that run do.
    }
  };
  append(result, Walker(rules).run(queue, start_helpers));
  for (std::future<TestFiles>& helper : helpers) {
    append(result, helper.get());
  }
}

} // namespace testmon_precreate::pytest
