#pragma once

#include <testmon_precreate/python/metadata.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::python {

// What a Python process knows of itself and this program cannot know from outside.
struct ProcessFacts {
  std::vector<std::string> sys_path; // as importlib.metadata will walk it
  std::string python_version;        // major.minor.micro
  std::string testmon_version;
  std::string pytest_version{}; // empty: not told
  std::string environment_name; // evaluated; never empty
  std::vector<std::string> ignore_dependencies;
  // What '' and relative entries of sys.path mean; empty: this process's own.
  std::string working_directory;
  // What no directory of sys.path shows: what lies in its entries that are files (zipped eggs), and
  // what finders on sys.meta_path other than Python's own report (import hooks of an environment).
  std::vector<Distribution> other_distributions;
};

// Reads the JSON of `--process-facts`: the keys of the contract, of which the name and the list of
// ignored dependencies may be missing, and the optional `pytest_version`, `working_directory` and
// `other_distributions` ([[name or null, version or null]…]). Unknown keys are ignored. Bytes of
// sys.path that are not UTF-8 come as Python writes them, as lone surrogates.
// Throws UsageError that names a missing key or a wrong type.
[[nodiscard]] ProcessFacts parse_process_facts(std::string_view text);

} // namespace testmon_precreate::python
