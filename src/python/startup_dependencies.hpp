#pragma once

#include "path_stamp.hpp"
#include "probe_script.hpp"

#include <testmon_precreate/python/probe.hpp>

#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::python {

// Everything on disk that decided what an interpreter answered.
struct StartupDependencies {
  std::vector<std::string> names; // sorted; of modules, see Dependence::names
  std::vector<PathStamp> stamps;
};

// What the answer depends on, as it looks now. Nothing where that cannot be told for sure: the
// interpreter is a wrapper script, or start-up ran code that could look at anything (a
// sitecustomize module, an `import` line in a .pth file that is not one of the well-known ones).
[[nodiscard]] std::optional<StartupDependencies> startup_dependencies(const ProbeRequest& request,
                                                                      const ProbeAnswer& answer);

} // namespace testmon_precreate::python
