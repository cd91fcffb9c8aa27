#include "doctor_parts.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/shell_words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace testmon_precreate {

namespace {

using pytest::CommandLine;

// An option with what it does to testmon.
struct HarmfulOption {
  const char* id;
  std::function<std::string(const CommandLine&)> find; // the option as given; empty: it is not
  const char* effect;
  const char* cure;
};

std::function<std::string(const CommandLine&)> flag(const std::string& name) {
  return [name](const CommandLine& line) { return line.has_flag(name) ? name : ""; };
}

std::function<std::string(const CommandLine&)> plugin(const std::string& value) {
  return [value](const CommandLine& line) { return line.has_plugin(value) ? "-p " + value : ""; };
}

std::function<std::string(const CommandLine&)> expression(const char* option,
                                                          std::string CommandLine::*value) {
  return [option, value](const CommandLine& line) {
    return (line.*value).empty() ? "" : fmt::format("{} {:?}", option, line.*value);
  };
}

std::string name_of_test(const CommandLine& line) {
  const bool is_given =
      std::any_of(line.paths.begin(), line.paths.end(),
                  [](const std::string& path) { return path.find(".py::") != std::string::npos; });
  return is_given ? "FILE.py::TEST" : "";
}

constexpr const char* deselects_nothing = "testmon deselects nothing, every run executes all tests";
constexpr const char* add_force = "Add --testmon-forceselect beside it: tests are then chosen by "
                                  "both. Or give it by hand only";

// `line` is the whole command line.
std::vector<HarmfulOption> harmful_options(const CommandLine& line) {
  constexpr const char* remove_lf =
      "Remove it: testmon runs tests that failed again by itself. Or add --testmon-forceselect";
  constexpr const char* off = "testmon does nothing";
  std::vector<HarmfulOption> options;
  if (!line.has_flag("--testmon-forceselect")) { // which beats these
    options = {
        {"selection-off", flag("--testmon-noselect"), deselects_nothing, "Remove it"},
        {"selection-off", expression("-k", &CommandLine::keywords), deselects_nothing, add_force},
        {"selection-off", expression("-m", &CommandLine::markers), deselects_nothing, add_force},
        {"selection-off", flag("--lf"), deselects_nothing, remove_lf},
        {"selection-off", flag("--last-failed"), deselects_nothing, remove_lf},
        {"selection-off", name_of_test, deselects_nothing,
         "Name files or directories, or add --testmon-forceselect"},
    };
  }
  options.push_back({"testmon-off", flag("--no-testmon"), off, "Remove it"});
  options.push_back({"testmon-off", plugin("no:pytest-testmon"), off, "Remove it"});
  return options;
}

// One of the places that pytest takes its options from.
struct OptionSource {
  std::string name;
  CommandLine line;
};

// The places that the run's options come from, the weakest first.
std::vector<OptionSource> option_sources(const RunRequest& request,
                                         const pytest::Project& project) {
  const std::string file = project.config_file ? project.config_file->string() : "-o";
  const std::string variable = request.environment.get("PYTEST_ADDOPTS").value_or("");
  const std::vector<std::pair<std::string, std::vector<std::string>>> words{
      {"addopts in " + file, project.ini_args("addopts")},
      {"PYTEST_ADDOPTS", pytest::split_shell_words(variable, "PYTEST_ADDOPTS")},
      {"the command line", request.pytest_arguments}};
  std::vector<OptionSource> sources;
  for (const auto& [name, list] : words) {
    try {
      sources.push_back({.name = name, .line = pytest::parse_command_line(list)});
    } catch (const core::UsageError&) {
      // Its last option takes its value from the next place: all are told of together.
      return {
          {.name = "addopts, PYTEST_ADDOPTS and the command line", .line = project.command_line}};
    }
  }
  return sources;
}

bool is_active(const OptionSource& source) {
  constexpr std::array flags{"--testmon", "--testmon-nocollect", "--testmon-noselect",
                             "--testmon-forceselect"};
  return std::any_of(flags.begin(), flags.end(),
                     [&source](const char* flag) { return source.line.has_flag(flag); });
}

} // namespace

void examine_options(const DoctorRequest& request, const pytest::Project& project,
                     Findings& findings) {
  const std::vector<OptionSource> sources = option_sources(request, project);
  for (const HarmfulOption& option : harmful_options(project.command_line)) {
    if (option.find(project.command_line).empty()) {
      continue; // a later `-m ''` undoes an earlier one
    }
    for (const OptionSource& source : sources) {
      if (const std::string given = option.find(source.line); !given.empty()) {
        findings.problem(option.id, fmt::format("{}: {}", given, option.effect), source.name,
                         option.cure);
      }
    }
  }
  for (const OptionSource& source : sources) {
    if (source.line.has_flag("--testmon-nocollect")) { // in a single run it may be meant so
      findings.note("nothing-recorded",
                    "--testmon-nocollect: the run records nothing, later ones select by old data",
                    source.name, "Leave it out of the runs that are to fill the data file");
    }
  }
  if (request.is_whole_command && std::none_of(sources.begin(), sources.end(), is_active)) {
    findings.problem("testmon-off", "no --testmon: testmon does nothing",
                     "the command line and addopts", "Add --testmon");
  }
}

} // namespace testmon_precreate
