// Drives the room from the end-to-end tests and benchmarks: reads one JSON object from standard
// input, writes one to standard output. Not installed.
//
//   environment_key key       process facts                          -> the environment key
//   environment_key keys      [process facts…]                       -> [environment key…]
//   environment_key probe     the fields of ProbeRequest             -> process facts
////   environment_key whole     the fields of ProbeRequest             -> the environment key
//   environment_key metadata  {"python_version", "texts": [text…]}   -> [[name, version] | null…]
//   environment_key drop      [text…]                                -> [text…]
//
// The texts of `metadata` are bytes: each character stands for one, U+0000 to U+00FF.
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/environment_key.hpp>
#include <testmon_precreate/python/metadata.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/probe.hpp>
#include <testmon_precreate/util/process_environment.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace python = testmon_precreate::python;
using nlohmann::json;

json describe(const python::EnvironmentKey& key) {
  return {{"environment_name", key.environment_name},
          {"python_version", key.python_version},
          {"system_packages", key.system_packages},
          {"system_packages_full", key.system_packages_full}};
}

json make_key(const std::string& input) {
  return describe(python::make_environment_key(python::parse_process_facts(input)));
}

json make_keys(const std::string& input) {
  json keys = json::array();
  for (const json& facts : json::parse(input)) {
    keys.push_back(make_key(facts.dump()));
  }
  return keys;
}

json pairs_of(const std::vector<python::Distribution>& distributions) {
  json pairs = json::array();
  const auto text_or_null = [](const std::optional<std::string>& text) {
    return text ? json(*text) : json();
  };
  for (const python::Distribution& distribution : distributions) {
    pairs.push_back({text_or_null(distribution.name), text_or_null(distribution.version)});
  }
  return pairs;
}

python::ProbeRequest request_of(const std::string& input) {
  const json object = json::parse(input);
  python::ProbeRequest request;
  request.interpreter = object.at("interpreter").get<std::string>();
  request.working_directory = object.at("working_directory").get<std::string>();
  request.environment = testmon_precreate::util::ProcessEnvironment::current();
  for (const json& addition : object.value("sys_path_additions", json::array())) {
    request.sys_path_additions.emplace_back(addition.get<std::string>());
  }
  if (object.contains("environment_name")) {
    request.environment_name = object.at("environment_name").get<std::string>();
  }
  request.environment_expression = object.value("environment_expression", "");
  request.ignore_dependencies = object.value("ignore_dependencies", std::vector<std::string>());
  return request;
}

json probe(const std::string& input) {
  const python::ProcessFacts facts = python::probe_interpreter(request_of(input));
  return {{"sys_path", facts.sys_path},
          {"python_version", facts.python_version},
          {"testmon_version", facts.testmon_version},
          {"environment_name", facts.environment_name},
          {"ignore_dependencies", facts.ignore_dependencies},
          {"working_directory", facts.working_directory},
          {"other_distributions", pairs_of(facts.other_distributions)}};
}

std::string bytes_of(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const auto point = testmon_precreate::util::first_code_point(text);
    bytes += static_cast<char>(static_cast<unsigned char>(point.value));
    text.remove_prefix(point.size);
  }
  return bytes;
}

json parse_all(const std::string& input) {
  const json object = json::parse(input);
  const python::PythonVersion version =
      python::parse_python_version(object.at("python_version").get<std::string>());
  json results = json::array();
  for (const json& text : object.at("texts")) {
    try {
      const auto found = python::parse_metadata(bytes_of(text.get<std::string>()), true, version);
      results.push_back({found->name ? json(*found->name) : json(),
                         found->version ? json(*found->version) : json()});
    } catch (const std::invalid_argument&) {
      results.push_back(nullptr);
    }
  }
  return results;
}

json drop_all(const std::string& input) {
  json results = json::array();
  for (const json& text : json::parse(input)) {
    results.push_back(python::drop_patch_version(text.get<std::string>()));
  }
  return results;
}

json answer(std::string_view what, const std::string& input) {
  if (what == "key") {
    return make_key(input);
  }
  if (what == "keys") {
    return make_keys(input);
  }
  if (what == "probe") {
    return probe(input);
  }
  if (what == "whole") {
    return describe(python::make_environment_key(python::probe_interpreter(request_of(input))));
  }
  if (what == "metadata") {
    return parse_all(input);
  }
  if (what == "drop") {
    return drop_all(input);
  }
  throw std::invalid_argument("unknown request");
}

} // namespace

int main(int argc, char** argv) {
  try {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    std::cout << answer(argc == 2 ? argv[1] : "", input).dump() << '\n';
    return 0;
  } catch (const testmon_precreate::core::CoordinationError& error) {
    std::cerr << error.class_name() << ": " << error.what() << '\n';
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
