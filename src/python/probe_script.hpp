#pragma once

#include <testmon_precreate/python/metadata.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::python {

struct ProbeRequest;

// What an interpreter says of itself.
struct ProbeAnswer {
  std::string python_version;
  std::string testmon_version;  // empty: it has none
  std::string environment_name; // the expression's value; empty without an expression
  std::vector<std::string> sys_path;
  bool has_other_finders = false; // sys.meta_path holds one more that knows distributions
  std::vector<Distribution> other_distributions; // what those found

  // What decided all this; see startup_dependencies.hpp.
  bool testmon_imported = false;             // its version is from its module, not its metadata
  std::string library;                       // the directory of the standard library
  std::vector<std::string> site_directories; // whose .pth files were read
  std::vector<std::string> startup_modules;  // top-level names, without built-in ones
  std::vector<std::string> startup_files;    // theirs, testmon's and libpython's
};

// Whether the interpreter has to evaluate an expression for the environment's name.
[[nodiscard]] bool needs_evaluation(const ProbeRequest& request);

// The command line that makes an interpreter answer on its standard output.
[[nodiscard]] std::vector<std::string> probe_command(const ProbeRequest& request);

// Finds and reads the answer in what the interpreter wrote; whatever else it wrote (a chatty
// sitecustomize, an expression that prints) is skipped.
// Throws std::invalid_argument where there is no whole answer.
[[nodiscard]] ProbeAnswer parse_probe_answer(std::string_view output);

} // namespace testmon_precreate::python
