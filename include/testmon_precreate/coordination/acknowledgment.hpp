#pragma once

#include <testmon_precreate/util/files.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace testmon_precreate::coordination {

class CoordinationDirectory;

// An acknowledgment file that is larger is refused unread.
inline constexpr std::size_t largest_acknowledgment = 16UL * 1024;

// A worker's word that it has seen the state; the content of worker_<id>_ready.
struct Acknowledgment {
  std::string worker_id; // as core::check_worker_id allows it
  pid_t pid = 0;
  std::string hostname;
  double timestamp = 0; // seconds since the epoch
  double waited_seconds = 0;
  std::optional<std::string> run_uid;
};

[[nodiscard]] std::string to_json(const Acknowledgment& acknowledgment);

// Throws InvalidCoordinationState that names `source` and what is wrong, as parse_state does.
[[nodiscard]] Acknowledgment parse_acknowledgment(std::string_view text, const std::string& source);

// Writes the acknowledgment if the state file is still `state_file` and is not about to be
// replaced; false otherwise. Without this check a late worker of an earlier run could overwrite the
// acknowledgment of a worker of the next one. Throws CoordinationFileError.
[[nodiscard]] bool acknowledge(const CoordinationDirectory& directory,
                               const Acknowledgment& acknowledgment,
                               const util::FileStamp& state_file);

} // namespace testmon_precreate::coordination
