#pragma once

#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/datafile/merge.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace testmon_precreate::tests {

// What testmon sees in a data file, row ids aside.

struct Fingerprint {
  std::string filename;
  std::optional<std::string> fsha;
  std::string checksums;

  auto operator<=>(const Fingerprint&) const = default;
};

struct Test {
  std::optional<double> duration;
  bool failed = false;
  std::optional<int> forced;
  std::set<Fingerprint> fingerprints;

  bool operator==(const Test&) const = default;
};

using Tests = std::map<std::string, Test>;
using Content = std::map<std::tuple<std::string, std::string, std::string>, Tests>;

// What a test has before it runs for the first time.
[[nodiscard]] Test placeholder();

// Adds tests to the environment of a file, which is made if it does not exist.
void write(const std::filesystem::path& file, const datafile::Environment& environment,
           const Tests& tests, int data_version = 13);

[[nodiscard]] Content read(const std::filesystem::path& file);

void write_counter(const std::filesystem::path& file, const std::string& key,
                   const std::string& value);

// Empty if there is none.
[[nodiscard]] std::string counter(const std::filesystem::path& file, const std::string& key);

// A request that waits for locks for five seconds.
[[nodiscard]] datafile::MergeRequest merge_request(const std::filesystem::path& target,
                                                   std::vector<std::filesystem::path> inputs);

} // namespace testmon_precreate::tests
