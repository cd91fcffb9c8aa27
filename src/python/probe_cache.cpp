#include "probe_cache.hpp"

#include "startup_dependencies.hpp"

#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int format_version = 1;
constexpr std::size_t largest_file = 1U << 20U;

bool decides_start_up(const std::string& variable) {
  constexpr std::array<std::string_view, 3> prefixes{"PYTHON", "LD_", "LC_"};
  constexpr std::array<std::string_view, 6> names{"LANG",
                                                  "HOME",
                                                  "VIRTUAL_ENV",
                                                  "CONDA_PREFIX",
                                                  "SETUPTOOLS_USE_DISTUTILS",
                                                  "__PYVENV_LAUNCHER__"};
  return std::find(names.begin(), names.end(), variable) != names.end() ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return variable.starts_with(prefix); });
}

json key_of(const ProbeRequest& request) {
  json variables = json::object();
  for (const auto& [name, value] : request.environment.variables()) {
    if (decides_start_up(name)) {
      variables[name] = value;
    }
  }
  json additions = json::array();
  for (const fs::path& addition : request.sys_path_additions) {
    additions.push_back(addition.string());
  }
  return {{"format", format_version},
          {"program", TESTMON_PRECREATE_VERSION},
          {"interpreter", request.interpreter.string()},
          {"working_directory", request.working_directory.string()},
          {"sys_path_additions", additions},
          {"ids", {::getuid(), ::geteuid(), ::getgid(), ::getegid()}},
          {"variables", variables}};
}

std::string file_name(const json& key) {
  return util::cache_file_name("probe", key.dump(), "json");
}

bool still_holds(const json& entry) {
  const auto names = entry.at("names").get<std::vector<std::string>>();
  const json& stamps = entry.at("stamps");
  return !stamps.empty() && std::all_of(stamps.begin(), stamps.end(), [&](const json& stamp) {
    return look_at(stamp.at(1).get<std::string>(), stamp.at(0).get<Dependence>(), names) ==
           stamp.at(2).get<std::string>();
  });
}

json to_json(const StartupDependencies& dependencies) {
  json stamps = json::array();
  for (const PathStamp& stamp : dependencies.stamps) {
    stamps.push_back({stamp.dependence, stamp.path.string(), stamp.look});
  }
  return stamps;
}

bool is_settled(const StartupDependencies& dependencies,
                std::chrono::system_clock::time_point start) {
  constexpr std::chrono::seconds clock_tolerance{2};
  return std::none_of(
      dependencies.stamps.begin(), dependencies.stamps.end(),
      [&](const PathStamp& stamp) { return is_younger_than(stamp.look, start - clock_tolerance); });
}

} // namespace

// Without HOME, Python finds the user site directory in the user database.
ProbeCache::ProbeCache(const util::ProcessEnvironment& environment)
    : directory_(environment.get("HOME").has_value() ? util::cache_directory(environment)
                                                     : fs::path()) {}

std::optional<ProbeAnswer> ProbeCache::find(const ProbeRequest& request) const {
  if (directory_.empty()) {
    return std::nullopt;
  }
  try {
    const json key = key_of(request);
    const fs::path file = directory_ / file_name(key);
    if (!util::is_own_file(file)) {
      return std::nullopt;
    }
    const json entry = json::parse(util::read_file(file, largest_file, O_NOFOLLOW));
    if (entry.at("key") != key || !still_holds(entry)) {
      return std::nullopt;
    }
    ProbeAnswer answer;
    answer.python_version = entry.at("python_version").get<std::string>();
    answer.testmon_version = entry.at("testmon_version").get<std::string>();
    answer.sys_path = entry.at("sys_path").get<std::vector<std::string>>();
    return answer;
  } catch (const json::exception&) {
    return std::nullopt; // corrupt, or names that are not UTF-8
  } catch (const fs::filesystem_error&) {
    return std::nullopt;
  }
}

void ProbeCache::store(const ProbeRequest& request, const ProbeAnswer& answer,
                       std::chrono::system_clock::time_point start) const {
  if (directory_.empty()) {
    return;
  }
  try {
    const std::optional<StartupDependencies> dependencies = startup_dependencies(request, answer);
    if (!dependencies.has_value() || !is_settled(*dependencies, start)) {
      return;
    }
    const json key = key_of(request);
    const json entry = {{"key", key},
                        {"python_version", answer.python_version},
                        {"testmon_version", answer.testmon_version},
                        {"sys_path", answer.sys_path},
                        {"names", dependencies->names},
                        {"stamps", to_json(*dependencies)}};
    const std::string content = entry.dump();
    util::write_cache_file(directory_, file_name(key), content);
  } catch (const json::exception&) {
    return; // names that are not UTF-8
  } catch (const fs::filesystem_error&) {
    return; // a home that cannot be written
  }
}

} // namespace testmon_precreate::python
