#pragma once

#include <testmon_precreate/coordination/acknowledgment.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/directory_handle.hpp>
#include <testmon_precreate/util/files.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::coordination {

inline constexpr const char* state_name = "controller_ready.json";

// Directories of single runs below a shared coordination directory (see run_place.hpp): of one that
// may be going on, and of one that has ended.
inline constexpr std::string_view running_prefix = "run-";
inline constexpr std::string_view ended_prefix = "done-";
inline constexpr std::string_view random_part = "XXXXXX"; // as mkdtemp(3) takes it

// Whether `name` is `prefix` and a random part.
[[nodiscard]] bool is_place_name(std::string_view name, std::string_view prefix);

// Which state file `directory` holds now; nothing if there is none. Another one is never equal,
// since a state file is replaced, not edited.
[[nodiscard]] std::optional<util::FileStamp> state_stamp(const util::DirectoryHandle& directory);

// The name of a worker's acknowledgment. Throws UsageError for what core::check_worker_id refuses.
[[nodiscard]] std::string acknowledgment_name(std::string_view worker_id);

// Whether `name` is a worker's acknowledgment.
[[nodiscard]] bool is_acknowledgment_name(std::string_view name);

// The files by which one run's controller and workers find each other; <rootdir>/.testmon_xdist if
// nothing else is set.
// Every member throws CoordinationFileError for an operation that fails, and for a directory that
// is a symbolic link, that another user owns or that others can write to.
class CoordinationDirectory {
public:
  explicit CoordinationDirectory(std::filesystem::path path)
      : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] std::filesystem::path state_path() const { return path_ / state_name; }

  [[nodiscard]] std::filesystem::path test_files_path() const { return path_ / "test_files.txt"; }

  // Makes the directory (0700) with its .gitignore if it is missing. One that is there already
  // stays as it is; it gets a .gitignore only while it is empty.
  void create() const;

  // Whether there is anything by the state's name; by one system call.
  [[nodiscard]] bool may_have_state() const;

  // Throws InvalidCoordinationState for a state that would be too large to be read.
  void write_state(const CoordinationState& state) const;

  // One path a line. Throws InvalidCoordinationState for a path that holds a line feed.
  void write_test_files(const std::vector<std::string>& paths) const;

  // Nothing if there is no state. Throws InvalidCoordinationState too. `stamp`, if given, receives
  // which file it was, for an invalid state too.
  [[nodiscard]] std::optional<CoordinationState> read_state(util::FileStamp* stamp = nullptr) const;

  // Those that can be read, by worker id.
  [[nodiscard]] std::vector<Acknowledgment> read_acknowledgments() const;

  // Removes the files that this program makes, and the directory if it is empty then. Call it by
  // remove_coordination_files (claim.hpp) alone, which makes sure that no other process is at work.
  [[nodiscard]] bool remove() const;

  // Opened and checked; nothing if there is no such directory.
  [[nodiscard]] std::optional<util::DirectoryHandle> open() const;

private:
  [[nodiscard]] util::DirectoryHandle open_existing() const;

  std::filesystem::path path_;
};

} // namespace testmon_precreate::coordination
