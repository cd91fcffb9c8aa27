#include "queue.hpp"

#include "locks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace {

bool is_ticket_name(std::string_view name) {
  constexpr std::size_t digits = 12;
  return name.size() == queue_prefix.size() + digits && name.starts_with(queue_prefix) &&
         name.find_first_not_of("0123456789", queue_prefix.size()) == std::string_view::npos;
}

std::vector<std::string> names_in(const util::DirectoryHandle& directory) {
  std::vector<std::string> names = directory.names();
  std::erase_if(names, [](const std::string& name) { return !is_ticket_name(name); });
  std::sort(names.begin(), names.end());
  return names;
}

// Whether the owner of a place still waits; if not, the place is removed.
bool is_held(const util::DirectoryHandle& directory, const std::string& name) {
  try {
    const util::FileDescriptor file = directory.open_file(name, O_RDWR);
    if (!try_lock(file.get(), LOCK_EX)) {
      return true;
    }
    static_cast<void>(directory.remove_regular_file(name));
  } catch (const std::filesystem::filesystem_error&) { // NOLINT(bugprone-empty-catch): given up
  }
  return false;
}

} // namespace

QueueTicket::QueueTicket(const util::DirectoryHandle& directory)
    : path_(directory.path()) {
  const std::vector<std::string> others = names_in(directory);
  const unsigned long last =
      others.empty() ? 0 : std::stoul(others.back().substr(queue_prefix.size()));
  name_ = fmt::format("{}{:012}", queue_prefix, last + 1);
  file_ = directory.open_file(name_, O_RDWR | O_CREAT | O_EXCL);
  static_cast<void>(try_lock(file_.get(), LOCK_EX));
}

QueueTicket::~QueueTicket() { ::unlink((path_ / name_).c_str()); }

bool QueueTicket::is_first(const util::DirectoryHandle& directory) const {
  const std::vector<std::string> names = names_in(directory);
  return std::none_of(names.begin(), names.end(), [&](const std::string& name) {
    return name < name_ && is_held(directory, name);
  });
}

bool has_queue(const util::DirectoryHandle& directory) {
  const std::vector<std::string> names = names_in(directory);
  return std::count_if(names.begin(), names.end(),
                       [&](const std::string& name) { return is_held(directory, name); }) > 0;
}

} // namespace testmon_precreate::coordination
