// Calls the room `datafile` alone, for the tests and benchmarks that watch it from outside: every
// system call of this process is the data file's.
//
//   datafile_driver prepare FILE PACKAGES DATA_VERSION [--name NAME] [--keep N] [--dry-run]
//                   [--rebuild] [--timeout S] [--repeat N]
//   datafile_driver list FILE
//   datafile_driver truncate FILE
//   datafile_driver snapshot FILE COPY ORIGIN
//
// `prepare` prints `ID ACTION PARKED MICROSECONDS KIB`: the median of N calls, and this process's
// peak resident set. `snapshot` prints MICROSECONDS. What the system counts for a parent
// (ru_maxrss) holds the parent's own pages.

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/datafile/management.hpp>
#include <testmon_precreate/datafile/snapshot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace core = testmon_precreate::core;
namespace datafile = testmon_precreate::datafile;
using testmon_precreate::util::Seconds;

struct Call {
  datafile::DatafileRequest request;
  std::size_t repeat = 1;
};

Call parse_call(const std::vector<std::string>& words) {
  Call call;
  datafile::DatafileRequest& request = call.request;
  request.file = words.at(1);
  request.environment = {"default", words.at(2), "3.11.7"};
  request.data_version = std::stoi(words.at(3));
  for (std::size_t i = 4; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--dry-run") {
      request.dry_run = true;
    } else if (word == "--rebuild") {
      request.rebuild = true;
    } else if (word == "--name") {
      request.environment.name = words.at(++i);
    } else if (word == "--keep") {
      request.keep_environments = std::stoul(words.at(++i));
    } else if (word == "--timeout") {
      request.busy_timeout = Seconds(std::stod(words.at(++i)));
    } else if (word == "--repeat") {
      call.repeat = std::stoul(words.at(++i));
    } else {
      throw core::UsageError({"unknown option", word, ""});
    }
  }
  return call;
}

std::string peak_resident_set() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmHWM:") {
  }
  status >> word;
  return word;
}

void prepare(Call call) {
  call.request.warn = [](const std::string& text) { std::cerr << "warning: " << text << '\n'; };
  std::vector<double> microseconds;
  datafile::PreparedDatafile prepared;
  for (std::size_t i = 0; i < call.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    prepared = datafile::prepare_datafile(call.request);
    microseconds.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  std::cout << fmt::format("{} {} {} {:.1f} {}\n", prepared.environment_id,
                           datafile::to_string(prepared.action), prepared.parked_environments,
                           microseconds[microseconds.size() / 2], peak_resident_set());
}

void take_snapshot(const std::vector<std::string>& words) {
  const auto start = std::chrono::steady_clock::now();
  if (datafile::copy_datafile(words.at(1), words.at(2), Seconds(1))) {
    datafile::note_origin(words.at(2), words.at(3));
  }
  std::cout << fmt::format(
      "{:.1f}\n",
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
}

void run(const std::vector<std::string>& words) {
  const std::string& command = words.at(0);
  if (command == "prepare") {
    prepare(parse_call(words));
  } else if (command == "truncate") {
    datafile::truncate_wal(words.at(1), Seconds(1));
  } else if (command == "snapshot") {
    take_snapshot(words);
  } else if (command == "list") {
    for (const auto& listed : datafile::list_environments(words.at(1), Seconds(1))) {
      std::cout << fmt::format("{} {} {}\n", listed.row.id,
                               listed.row.parked ? "parked" : "visible", listed.tests);
    }
  } else {
    throw core::UsageError({"unknown command", command, ""});
  }
}

} // namespace

int main(int argc, char** argv) {
  try {
    run(std::vector<std::string>(argv + 1, argv + argc));
    return 0;
  } catch (const core::CoordinationError& error) {
    std::cerr << "error: " << error.what() << '\n';
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::cerr << "unexpected: " << error.what() << '\n';
    return 1;
  }
}
