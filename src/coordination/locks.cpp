#include "locks.hpp"

#include "file_errors.hpp"

#include <testmon_precreate/util/files.hpp>

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>

namespace testmon_precreate::coordination {

bool try_lock(int file, int operation) {
  return util::uninterrupted([&] { return ::flock(file, operation | LOCK_NB); }) == 0 ||
         errno != EWOULDBLOCK;
}

std::optional<util::FileDescriptor> lock_for_claim(const CoordinationDirectory& directory) {
  while (true) {
    const auto handle = directory.open();
    if (!handle) {
      return std::nullopt;
    }
    util::FileDescriptor file;
    try {
      file = handle->open_file(lock_name, O_RDWR | O_CREAT);
    } catch (const std::filesystem::filesystem_error& error) {
      if (is_absence(error)) {
        continue; // the directory itself was removed after we had opened it
      }
      throw;
    }
    if (!try_lock(file.get(), LOCK_EX)) {
      return std::nullopt;
    }
    // A file that was removed after we had opened it guards nothing any more.
    if (util::leads_to(directory.path() / lock_name, file)) {
      return file;
    }
  }
}

bool lock_briefly(const util::DirectoryHandle& directory, int operation) {
  constexpr int most_attempts = 1000;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (try_lock(directory.get(), operation)) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

} // namespace testmon_precreate::coordination
