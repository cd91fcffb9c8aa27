#include "doctor_options.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/shell_words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace testmon_precreate {

namespace {

using pytest::CommandLine;

bool names_a_test(const CommandLine& line) {
  return std::any_of(line.paths.begin(), line.paths.end(), [](const std::string& path) {
    return path.find(".py::") != std::string::npos;
  });
}

bool gives_plugin(const CommandLine& line, const std::string& value) {
  return std::find(line.plugins.begin(), line.plugins.end(), value) != line.plugins.end();
}

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
  return
      [value](const CommandLine& line) { return gives_plugin(line, value) ? "-p " + value : ""; };
}

std::function<std::string(const CommandLine&)> expression(const char* option,
                                                          std::string CommandLine::*value) {
  return [option, value](const CommandLine& line) {
    return (line.*value).empty() ? "" : fmt::format("{} {:?}", option, line.*value);
  };
}

constexpr const char* deselects_nothing = "testmon deselects nothing, every run executes all tests";
constexpr const char* add_force = "Add --testmon-forceselect beside it: tests are then chosen by "
                                  "both. Or give it by hand only";

// Those that --testmon-forceselect beats.
std::vector<HarmfulOption> selection_options() {
  constexpr const char* remove_lf =
      "Remove it: testmon runs tests that failed again by itself. Or add --testmon-forceselect";
  return {
      {"selection-off", flag("--testmon-noselect"), deselects_nothing, "Remove it"},
      {"selection-off", expression("-k", &CommandLine::keywords), deselects_nothing, add_force},
      {"selection-off", expression("-m", &CommandLine::markers), deselects_nothing, add_force},
      {"selection-off", flag("--lf"), deselects_nothing, remove_lf},
      {"selection-off", flag("--last-failed"), deselects_nothing, remove_lf},
      {"selection-off",
       [](const CommandLine& line) { return names_a_test(line) ? "FILE.py::TEST" : ""; },
       deselects_nothing, "Name files or directories, or add --testmon-forceselect"},
  };
}

std::vector<HarmfulOption> other_options() {
  constexpr const char* off = "testmon does nothing";
  return {
      {"testmon-off", flag("--no-testmon"), off, "Remove it"},
      {"testmon-off", plugin("no:pytest-testmon"), off, "Remove it"},
  };
}

class Examination {
public:
  Examination(const DoctorRequest& request, const pytest::Project& project)
      : request_(request)
      , merged_(project.command_line)
      , sources_(option_sources(request, project)) {}

  std::vector<Finding> run() {
    if (!merged_.has_flag("--testmon-forceselect")) {
      look_for(selection_options());
    }
    look_for(other_options());
    look_for_nocollect();
    look_for_testmon();
    return std::move(findings_);
  }

private:
  void look_for(const std::vector<HarmfulOption>& options) {
    for (const HarmfulOption& option : options) {
      if (option.find(merged_).empty()) {
        continue; // a later `-m ''` undoes an earlier one
      }
      for (const OptionSource& source : sources_) {
        if (const std::string given = option.find(source.line); !given.empty()) {
          findings_.push_back({.id = option.id,
                               .is_problem = true,
                               .what = fmt::format("{}: {}", given, option.effect),
                               .where = source.name,
                               .cure = option.cure});
        }
      }
    }
  }

  // In a single run it may be meant so.
  void look_for_nocollect() {
    for (const OptionSource& source : sources_) {
      if (source.line.has_flag("--testmon-nocollect")) {
        findings_.push_back(
            {.id = "nothing-recorded",
             .is_problem = false,
             .what = "--testmon-nocollect: the run records nothing, later ones select by old data",
             .where = source.name,
             .cure = "Leave it out of the runs that are to fill the data file"});
      }
    }
  }

  void look_for_testmon() {
    const bool active =
        std::any_of(sources_.begin(), sources_.end(), [](const OptionSource& source) {
          return source.line.has_flag("--testmon") || source.line.has_flag("--testmon-nocollect") ||
                 source.line.has_flag("--testmon-noselect") ||
                 source.line.has_flag("--testmon-forceselect");
        });
    if (request_.is_whole_command && !active) {
      findings_.push_back({.id = "testmon-off",
                           .is_problem = true,
                           .what = "no --testmon: testmon does nothing",
                           .where = "the command line and addopts",
                           .cure = "Add --testmon"});
    }
  }

  const DoctorRequest& request_;
  const CommandLine& merged_;
  std::vector<OptionSource> sources_;
  std::vector<Finding> findings_;
};

} // namespace

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

std::vector<Finding> examine_options(const DoctorRequest& request, const pytest::Project& project) {
  return Examination(request, project).run();
}

} // namespace testmon_precreate
