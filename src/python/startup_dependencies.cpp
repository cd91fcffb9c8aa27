#include "startup_dependencies.hpp"

#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_text = 1U << 20U;

// Lines of .pth files that do nothing to sys.path, or something that only sys.path decides.
constexpr std::array<std::string_view, 7> known_lines{
    // virtualenv, uv
    "import _virtualenv",
    // setuptools
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == "
    "'local'; enabled and __import__('_distutils_hack').add_shim();",
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'stdlib') == "
    "'local'; enabled and __import__('_distutils_hack').add_shim();",
    // easy_install
    "import sys; sys.__plen = len(sys.path)",
    "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; "
    "p=getattr(sys,'__egginsert',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)",
    // coverage; starts nothing without its variables, and with them nothing is kept
    R"(import sys; exec('import os\n\nif os.getenv("COVERAGE_PROCESS_START") or )"
    R"(os.getenv("COVERAGE_PROCESS_CONFIG"):\n try:\n  import coverage\n except:\n  pass\n else:\n  )"
    R"(coverage.process_startup(slug="pth")'))",
    R"(import sys; exec('try: import coverage; coverage.process_startup()\nexcept ImportError: pass'))"};

// Debian's and Ubuntu's own; the hook is for crash reports.
constexpr std::string_view known_sitecustomize =
    R"(# install the apport exception handler if available
try:
    import apport_python_hook
except ImportError:
    pass
else:
    apport_python_hook.install()
)";

// `import __editable___X_finder; __editable___X_finder.install()`: setuptools' import hook of an
// editable install. The module itself is among the imported files.
bool is_editable_finder(std::string_view line) {
  constexpr std::string_view begin = "import __editable__";
  constexpr std::string_view end = ".install()";
  const std::size_t semicolon = line.find("; ");
  if (!line.starts_with(begin) || !line.ends_with(end) || semicolon == std::string_view::npos) {
    return false;
  }
  const std::string_view module = line.substr(std::string_view("import ").size(),
                                              semicolon - std::string_view("import ").size());
  const std::string_view call = line.substr(semicolon + 2);
  return call.substr(0, call.size() - end.size()) == module &&
         module.find_first_of(" ;()") == std::string_view::npos;
}

bool is_known_line(std::string_view line) {
  return is_editable_finder(line) ||
         std::find(known_lines.begin(), known_lines.end(), line) != known_lines.end();
}

bool is_elf(const fs::path& file) {
  constexpr std::string_view magic = "\x7f"
                                     "ELF";
  std::array<char, magic.size()> begin{};
  try {
    const util::FileDescriptor descriptor = util::open_file(file, O_RDONLY);
    return ::read(descriptor.get(), begin.data(), begin.size()) ==
               static_cast<ssize_t>(begin.size()) &&
           std::string_view(begin.data(), begin.size()) == magic;
  } catch (const fs::filesystem_error&) {
    return false;
  }
}

// Collects stamps; knows when the proof has failed.
class Collector {
public:
  Collector(const ProbeRequest& request, const ProbeAnswer& answer)
      : request_(request)
      , answer_(answer)
      , names_(answer.startup_modules.begin(), answer.startup_modules.end()) {
    names_.insert({"apport_python_hook", "sitecustomize", "testmon", "usercustomize"});
    result_.names.assign(names_.begin(), names_.end());
  }

  std::optional<StartupDependencies> collect() {
    add_interpreter();
    add_files();
    for (const std::string& directory : answer_.site_directories) {
      add_site_directory(directory);
    }
    add_path_entries();
    if (!proven_) {
      return std::nullopt;
    }
    return std::move(result_);
  }

private:
  void add(Dependence dependence, const fs::path& path) {
    // What sys.path says is relative to the working directory.
    const fs::path absolute = request_.working_directory / path;
    if (seen_.insert({dependence, absolute}).second) {
      result_.stamps.push_back({.dependence = dependence,
                                .path = absolute,
                                .look = look_at(absolute, dependence, result_.names)});
    }
  }

  // The executable, where it really is, and the places in which it looks for pyvenv.cfg and its
  // prefix (Modules/getpath.py).
  void add_interpreter() {
    std::error_code error;
    const fs::path resolved = fs::canonical(request_.interpreter, error);
    proven_ = proven_ && !error && is_elf(resolved);
    for (const fs::path& executable : {request_.interpreter, resolved}) {
      add(Dependence::state, executable);
      add(Dependence::state, executable.parent_path());
      add(Dependence::state, executable.parent_path().parent_path() / "pyvenv.cfg");
    }
    add(Dependence::state, "/etc/ld.so.cache");
  }

  // What start-up imported, and libpython.
  void add_files() {
    for (const std::string& file : answer_.startup_files) {
      add(Dependence::state, file);
      const std::string name = fs::path(file).stem();
      if (name == "sitecustomize" || name == "usercustomize") {
        proven_ = proven_ && read_text(file) == known_sitecustomize;
      }
    }
  }

  void add_site_directory(const fs::path& directory) {
    add(Dependence::state, directory);
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
      if (entry.path().extension() == ".pth") {
        add(Dependence::state, entry.path());
        add_lines(directory, read_text(entry.path()));
      }
    }
  }

  void add_lines(const fs::path& directory, const std::string& content) {
    for (std::string_view line : util::split(content, '\n')) {
      line = util::strip(line);
      if (line.starts_with("import ") || line.starts_with("import\t")) {
        proven_ = proven_ && is_known_line(line);
      } else if (!line.empty() && !line.starts_with('#')) {
        // Start-up adds a directory where it exists.
        add(Dependence::existence, directory / line);
      }
    }
  }

  // A new module in any entry could be imported instead of another, or in addition.
  void add_path_entries() {
    for (const std::string& entry : answer_.sys_path) {
      if (is_installation(entry)) {
        add(Dependence::state, entry);
      } else {
        add(Dependence::names, entry);
      }
    }
  }

  // The library itself changes as a whole only; a project's directory changes all the time.
  [[nodiscard]] bool is_installation(const std::string& entry) const {
    const auto& sites = answer_.site_directories;
    return std::find(sites.begin(), sites.end(), entry) != sites.end() ||
           (!answer_.library.empty() && entry.starts_with(answer_.library));
  }

  std::string read_text(const fs::path& file) {
    try {
      return util::read_file(file, largest_text);
    } catch (const fs::filesystem_error&) {
      proven_ = false;
      return {};
    }
  }

  const ProbeRequest& request_;
  const ProbeAnswer& answer_;
  std::set<std::string> names_;
  std::set<std::pair<Dependence, fs::path>> seen_;
  StartupDependencies result_;
  bool proven_ = true;
};

} // namespace

std::optional<StartupDependencies> startup_dependencies(const ProbeRequest& request,
                                                        const ProbeAnswer& answer) {
  const bool starts_coverage = request.environment.get("COVERAGE_PROCESS_START").has_value() ||
                               request.environment.get("COVERAGE_PROCESS_CONFIG").has_value();
  if (answer.has_other_finders || !answer.testmon_imported || starts_coverage) {
    return std::nullopt;
  }
  return Collector(request, answer).collect();
}

} // namespace testmon_precreate::python
