#pragma once

#include <testmon_precreate/util/directory_handle.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate::coordination {

// A place in the queue of runs that wait for a directory; see locks.hpp. The numbers are the order
// of arrival. The constructor and is_first are to be called with the directory claimed.
class QueueTicket {
public:
  explicit QueueTicket(const util::DirectoryHandle& directory);
  ~QueueTicket();
  QueueTicket(const QueueTicket&) = delete;
  QueueTicket& operator=(const QueueTicket&) = delete;
  QueueTicket(QueueTicket&&) = delete;
  QueueTicket& operator=(QueueTicket&&) = delete;

  // Whether no run that came earlier is still waiting.
  [[nodiscard]] bool is_first(const util::DirectoryHandle& directory) const;

private:
  std::filesystem::path path_;
  std::string name_;
  util::FileDescriptor file_;
};

// Whether any run is waiting. Removes the places of processes that have died. Call it with the
// directory claimed.
bool has_queue(const util::DirectoryHandle& directory);

} // namespace testmon_precreate::coordination
