#pragma once

#include <testmon_precreate/affected.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace testmon_precreate {

// How well a data file fits the environment of a run and the working tree.
struct DatafileFit {
  std::filesystem::path file;
  bool environment_matches = false; // if not, every test will run
  std::size_t tests = 0;            // recorded, of the environment that was looked at
  std::size_t unaffected = 0;       // of them, whose files are all as recorded
};

// Called with each file that cannot be read, and with what could not be found out.
using Warn = std::function<void(const std::string&)>;

// The one of `files` that fits best: whose environment matches, and then of which most tests are
// unaffected; the first of equals. Nothing if none of them exists and can be read. If the
// interpreter cannot be asked, the newest environment of each file counts as the one that matches.
// Throws core::UsageError.
[[nodiscard]] std::optional<DatafileFit>
find_best_datafile(const AffectedRequest& request, std::span<const std::filesystem::path> files,
                   const Warn& warn);

// Makes `target` a copy of the data files `sources`, merged if there are several; what it holds
// already is merged as well (datafile::merge). The sources are only read. Throws
// core::DatabaseError.
void take_over(std::span<const std::filesystem::path> sources, const std::filesystem::path& target,
               const std::filesystem::path& rootdir, const util::ProcessEnvironment& environment);

} // namespace testmon_precreate
