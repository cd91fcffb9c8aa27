#include "testmon_precreate/util/process_identity.hpp"
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include <sys/utsname.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_stat = 65536;

// The text of /proc/PID/stat; empty if there is no such process.
std::string read_process_stat(pid_t pid) {
  try {
    return read_file(fmt::format("/proc/{}/stat", pid), largest_stat);
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

// The fields of /proc/PID/stat from number 3, the state, on; one empty text if there are none.
std::vector<std::string_view> fields_from_state(std::string_view stat) {
  // The name in field 2 may hold blanks and parentheses: count from the last ')'.
  const std::size_t name_end = stat.rfind(')');
  const bool complete = name_end != std::string_view::npos && name_end + 2 < stat.size();
  return split(complete ? stat.substr(name_end + 2) : std::string_view(), ' ');
}

// Field `number` as proc(5) counts them.
template <typename Number>
std::optional<Number> number_of(const std::vector<std::string_view>& fields, std::size_t number) {
  constexpr std::size_t first = 3;
  if (fields.size() <= number - first) {
    return std::nullopt;
  }
  return parse_number<Number>(fields[number - first]);
}

} // namespace

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  const std::string stat = read_process_stat(pid);
  const auto fields = fields_from_state(stat);
  const bool ended = fields[0] == "Z" || fields[0] == "X";
  return ended ? std::nullopt : number_of<std::uint64_t>(fields, 22);
}

std::optional<pid_t> parent_of(pid_t pid) {
  const std::string stat = read_process_stat(pid);
  return number_of<pid_t>(fields_from_state(stat), 4);
}

Seconds start_ticks_to_wall_clock(std::uint64_t ticks) {
  timespec boot_time{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot_time);
  const Seconds since_boot =
      std::chrono::seconds(boot_time.tv_sec) + std::chrono::nanoseconds(boot_time.tv_nsec);
  const Seconds start(static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  return wall_clock_now() - since_boot + start;
}

std::string boot_id() {
  try {
    return std::string(strip(read_file("/proc/sys/kernel/random/boot_id", 4096)));
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

std::string hostname() {
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.nodename) : std::string();
}

std::string pid_namespace() {
  std::error_code none;
  return fs::read_symlink("/proc/self/ns/pid", none).string();
}

} // namespace testmon_precreate::util
