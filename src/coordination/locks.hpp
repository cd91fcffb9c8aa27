#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/util/directory_handle.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <optional>
#include <string_view>

#include <sys/file.h>

namespace testmon_precreate::coordination {

// How processes take turns in a coordination directory. All three are locks of flock(2), so the
// kernel releases them when their process dies:
//
// - `.lock` is the claim (claim.hpp). A `prepare` holds it from before its first change until its
//   state is written, a clean-up while it removes files: one process at a time.
// - `.queue.NUMBER` is a place in the queue (queue.hpp). Its owner holds it while it waits for its
//   turn; the smallest number that is still held comes next. Places are taken and compared only by
//   a process that holds `.lock`.
// - The directory itself guards acknowledgments (acknowledgment.hpp), for a few system calls at a
//   time: workers share it between checking the state and acknowledging it, a claimant holds it
//   alone while it removes the state and the acknowledgments of an earlier run. So a late worker
//   either acknowledges before the removal or sees that its state is gone.
//
// A lock that another process holds is tried again up to a time limit, so no order of locking can
// end in a deadlock.
inline constexpr const char* lock_name = ".lock";
inline constexpr std::string_view queue_prefix = ".queue.";

// Whether the lock was taken. A file system without locks (ENOLCK, EBADF for a directory on NFS)
// counts as taken: files are written whole anyway, only the order of two runs is not guarded then.
[[nodiscard]] bool try_lock(int file, int operation);

// The lock of a claim; nothing while another process holds it, or if there is no directory.
[[nodiscard]] std::optional<util::FileDescriptor>
lock_for_claim(const CoordinationDirectory& directory);

// Locks the directory itself (LOCK_SH or LOCK_EX), until LOCK_UN or the end of `directory`. False
// if another process, such as a suspended one, keeps it for a second.
[[nodiscard]] bool lock_briefly(const util::DirectoryHandle& directory, int operation);

} // namespace testmon_precreate::coordination
