// Shows what the library knows of projects, for tests that compare it with the real pytest.
//
// Reads one JSON request a line and answers each with one line of JSON:
//   {"directory": DIR, "arguments": [...], "environment": {...}, "version": "8.4.2",
//    "run_as_module": false, "sys_path": [...]}
//   {"ini": "text of an INI file"}
//   {"words": "text to split as a shell does"}
//   {"pattern": PATTERN, "names": [...]}
//   {"glob": PATTERN, "directory": DIR}
//   {"options": [...], "core": true}   how many words each takes, as the table has it
// Byte N of a text travels as the character N.

#include "option_table.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/glob.hpp>
#include <testmon_precreate/pytest/ini_file.hpp>
#include <testmon_precreate/pytest/pattern.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/pytest/shell_words.hpp>
#include <testmon_precreate/pytest/sys_path.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/util/unicode.hpp>
#include <testmon_precreate/util/version.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>

namespace {

namespace pytest = testmon_precreate::pytest;
namespace util = testmon_precreate::util;
using nlohmann::json;

// JSON holds characters, paths hold bytes: byte N travels as the character N.
std::string encode(const std::string& bytes) {
  std::u32string characters;
  for (const char c : bytes) {
    characters += static_cast<unsigned char>(c);
  }
  return util::encode_surrogateescape(characters);
}

template <typename Texts>
json encode_all(const Texts& texts) {
  json list = json::array();
  for (const auto& text : texts) {
    list.push_back(encode(text));
  }
  return list;
}

std::string decode(const json& text) {
  std::string bytes;
  for (const char32_t c : util::decode_surrogateescape(text.get<std::string>())) {
    bytes += static_cast<char>(static_cast<unsigned char>(c));
  }
  return bytes;
}

std::vector<std::string> decode_all(const json& list) {
  std::vector<std::string> texts;
  for (const json& item : list) {
    texts.push_back(decode(item));
  }
  return texts;
}

json describe_project(const json& request) {
  pytest::ProjectQuery query;
  query.invocation_directory = decode(request.at("directory"));
  query.arguments = decode_all(request.at("arguments"));
  for (const json& variable : request.value("environment", json::array())) {
    query.environment.set(decode(variable.at(0)), decode(variable.at(1)));
  }
  const std::string version = request.value("version", "9.2.0");
  query.version = util::parse_version(version).value();
  pytest::Project project = pytest::find_project(query);
  project.command_line.run_as_module = request.value("run_as_module", false);
  json answer;
  answer["rootdir"] = encode(project.rootdir.string());
  answer["is_configured"] = project.is_configured;
  answer["config_file"] =
      project.config_file ? encode(project.config_file->string()) : std::string();
  for (const auto& [name, value] : project.ini) {
    answer["ini"][encode(name)] = value.is_list ? encode_all(value.list) : json(encode(value.text));
  }
  answer["sys_path"] = encode_all(
      pytest::extend_sys_path(project, decode_all(request.value("sys_path", json::array()))));
  if (request.value("scan", true)) {
    const pytest::TestFiles files = pytest::scan_test_files(project);
    answer["files"] = encode_all(files.paths);
    answer["warnings"] = encode_all(files.warnings);
  }
  return answer;
}

json describe_ini(const json& request) {
  try {
    json sections = json::array();
    for (const auto& [section, options] : pytest::parse_ini(decode(request.at("ini")))) {
      json values = json::array();
      for (const auto& [name, value] : options) {
        values.push_back({encode(name), encode(value)});
      }
      sections.push_back({encode(section), values});
    }
    return {{"sections", sections}};
  } catch (const pytest::IniSyntaxError& error) {
    return {{"line", error.line()}, {"reason", encode(error.what())}};
  }
}

json describe_options(const json& request) {
  const auto known = request.at("core").get<bool>() ? pytest::KnownOptions::core
                                                    : pytest::KnownOptions::with_plugins;
  json counts = json::array();
  for (const std::string& option : decode_all(request.at("options"))) {
    const auto count = pytest::value_count(option, known);
    if (!count) {
      counts.push_back("unknown");
    } else if (*count == pytest::ValueCount::none) {
      counts.push_back("none");
    } else {
      counts.push_back(*count == pytest::ValueCount::one ? "one" : "optional");
    }
  }
  return {{"counts", counts}};
}

json answer_to(const json& request) {
  if (request.contains("ini")) {
    return describe_ini(request);
  }
  if (request.contains("words")) {
    return {{"words", encode_all(pytest::split_shell_words(decode(request.at("words")), "test"))}};
  }
  if (request.contains("glob")) {
    return {{"paths", encode_all(pytest::glob(decode(request.at("glob")),
                                              decode(request.at("directory"))))}};
  }
  if (request.contains("options")) {
    return describe_options(request);
  }
  if (request.contains("pattern")) {
    const pytest::Pattern pattern(decode(request.at("pattern")));
    json matches = json::array();
    for (const std::string& name : decode_all(request.at("names"))) {
      matches.push_back(pattern.matches(name));
    }
    return {{"matches", matches}};
  }
  return describe_project(request);
}

// `--list DIR` prints the test files of DIR and nothing else, for benchmarks.
int list_test_files(const std::string& directory) {
  std::string output;
  const auto files =
      pytest::scan_test_files(pytest::find_project({.invocation_directory = directory}));
  for (const std::string& path : files.paths) {
    output += path;
    output += '\n';
  }
  std::cout << output;
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  if (words.size() == 3 && words[1] == "--list") {
    return list_test_files(words[2]);
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    json answer;
    try {
      answer = answer_to(json::parse(line));
    } catch (const testmon_precreate::core::CoordinationError& error) {
      answer = {{"error", encode(error.what())}, {"class", error.class_name()}};
    } catch (const std::exception& error) {
      answer = {{"error", encode(error.what())}, {"class", "unexpected"}};
    }
    std::cout << answer.dump() << '\n' << std::flush;
  }
}
