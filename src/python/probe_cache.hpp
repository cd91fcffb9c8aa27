#pragma once

#include "probe_script.hpp"

#include <testmon_precreate/python/probe.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <chrono>
#include <filesystem>
#include <optional>

namespace testmon_precreate::python {

// Answers of interpreters, kept in $XDG_CACHE_HOME/testmon-precreate (~/.cache without that
// variable; nowhere without HOME too). An answer is used again only where it is proven that the
// interpreter would give it again:
//
// - the same request: the executable's path, the working directory, what the pytest configuration
//   puts in front of sys.path, the user and group ids (user site), and the values of all variables
//   that Python and the start-up code that we know read: PYTHON…, LD_…, LC_…, LANG, HOME,
//   VIRTUAL_ENV, CONDA_PREFIX, SETUPTOOLS_USE_DISTUTILS, __PYVENV_LAUNCHER__;
// - the same files, by device, inode, size, modification and change time: the executable, where it
//   really is, the directories of both and the pyvenv.cfg that belong to them, ld.so's cache,
//   libpython, every file that start-up imported, testmon's own module, the site directories (a new
//   .pth or package changes them), every .pth file in them, and the standard library's directories;
// - for every path that a .pth file names, whether it exists;
// - for every other entry of sys.path (PYTHONPATH, projects), which entries of that directory could
//   be imported in place of, or in addition to, what was imported.
//
// Nothing is kept where start-up ran code that could look elsewhere (see startup_dependencies),
// where an expression was evaluated, or where any of those files changed less than two seconds
// before the probe began: a change during it, or in the same tick of the file system's clock, would
// go unseen.
//
// A cache that is corrupt, of another program version or of another user is as good as none.
class ProbeCache {
public:
  explicit ProbeCache(const util::ProcessEnvironment& environment);

  // Never throws for what is wrong with the cache.
  [[nodiscard]] std::optional<ProbeAnswer> find(const ProbeRequest& request) const;

  // Keeps an answer to a probe that began at `start`, where it can be proven later. A cache that
  // cannot be written is no error.
  void store(const ProbeRequest& request, const ProbeAnswer& answer,
             std::chrono::system_clock::time_point start) const;

private:
  std::filesystem::path directory_; // empty: no cache
};

} // namespace testmon_precreate::python
