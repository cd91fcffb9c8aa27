#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace testmon_precreate::util {

// Which process a pid means, and on which machine.

// When process `pid` was started, in clock ticks since the boot: never equal for two processes that
// had the same pid. Nothing if there is no such process, or if it has ended and waits for its
// parent to notice. Linux: /proc/PID/stat fields 3 and 22 (proc(5)).
[[nodiscard]] std::optional<std::uint64_t> process_start_ticks(pid_t pid);

// The same moment in seconds since the epoch, as the system's clock stands now.
[[nodiscard]] Seconds start_ticks_to_wall_clock(std::uint64_t ticks);

// The parent of process `pid`, 0 for the first one of a pid namespace; nothing if there is no
// such process.
[[nodiscard]] std::optional<pid_t> parent_of(pid_t pid);

// The id of this boot (/proc/sys/kernel/random/boot_id); empty if the system has none.
[[nodiscard]] std::string boot_id();

// The name of this machine (uname(2)); empty if the system has none.
[[nodiscard]] std::string hostname();

// Names the pid namespace of this process (pid_namespaces(7)): a pid means the same process only
// for processes that share it. Empty if the system has none.
[[nodiscard]] std::string pid_namespace();

} // namespace testmon_precreate::util
