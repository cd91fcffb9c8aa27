#pragma once

#include <testmon_precreate/coordination/state.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::coordination {

struct Acknowledgment {
  std::string worker_id;
  pid_t pid = 0;
  std::string hostname;
  double timestamp = 0; // seconds since the epoch
  double waited_seconds = 0;
  std::optional<std::string> run_uid;
};

// <rootdir>/.testmon_xdist: the files by which one run's controller and workers find each other.
// Every member throws CoordinationFileError for an operation that fails, and for a directory that
// another user owns or others can write to.
class CoordinationDirectory {
public:
  explicit CoordinationDirectory(std::filesystem::path path)
      : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] std::filesystem::path state_path() const { return path_ / "controller_ready.json"; }

  [[nodiscard]] std::filesystem::path test_files_path() const { return path_ / "test_files.txt"; }

  // Makes the directory (0700) with its .gitignore where it is missing.
  void create() const;

  void write_state(const CoordinationState& state) const;
  void write_test_files(const std::vector<std::string>& paths) const;
  void write_acknowledgment(const Acknowledgment& acknowledgment) const;

  // Nothing where there is no state. Throws InvalidCoordinationState too.
  [[nodiscard]] std::optional<CoordinationState> read_state() const;

  // Those that can be read, by worker id.
  [[nodiscard]] std::vector<Acknowledgment> read_acknowledgments() const;

  // Removes the files that this program makes, and the directory where it is empty then.
  // Returns whether anything was removed.
  bool remove() const;

private:
  std::filesystem::path path_;
};

// The coordination directory (`name`) of `start` or its nearest parent that has one.
[[nodiscard]] std::optional<std::filesystem::path>
find_coordination_directory(const std::filesystem::path& start, const std::filesystem::path& name);

} // namespace testmon_precreate::coordination
