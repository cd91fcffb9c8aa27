#pragma once

#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace testmon_precreate::python {

// What testmon makes of a file's content now.
struct FileBlocks {
  std::string fsha;                    // empty: there is no such file, or testmon fails on it
  std::vector<std::int32_t> checksums; // of its blocks; none if it is not Python
};

struct FileBlocksRequest {
  std::filesystem::path interpreter;
  std::filesystem::path working_directory; // of the pytest run: git's index is asked from there
  util::ProcessEnvironment environment;
  std::filesystem::path rootdir;
  std::vector<std::string> filenames; // relative to the rootdir
  util::Seconds timeout{300};
};

// One entry a file, from one start of the interpreter that runs testmon's own code. Throws
// core::EnvironmentProbeError if it cannot be started, fails or does not answer in time.
[[nodiscard]] std::vector<FileBlocks> find_file_blocks(const FileBlocksRequest& request);

} // namespace testmon_precreate::python
