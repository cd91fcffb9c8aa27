#include "probe_script.hpp"

#include <testmon_precreate/python/probe.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace testmon_precreate::python {

namespace {

constexpr std::string_view answer_begins = "\ntestmon-precreate-probe:";

// Runs in the interpreter: `-c SCRIPT EXPRESSION ADDITIONS…`. It imports nothing that start-up has
// not imported already, but testmon's own __init__ (one line) and, for an expression, hashlib.
// Where testmon's module has no version (it is another one), its metadata is asked.
// `-c` puts '' at the front of sys.path, which the script `pytest` does not have there; that goes
// first, so that no module of the working directory is imported by chance. The answer is a sequence
// of netstrings (`SIZE:BYTES,`): no module is needed to write it, and any byte can be in a path.
// Also a Python 2 must be able to run it, to be told that it is too old.
constexpr const char* script = R"(
import sys
if sys.path and not sys.path[0]:
    del sys.path[0]
import os
startup = dict(sys.modules)
encode = getattr(os, 'fsencode', lambda text: text)

def evaluate(expression):
    # testmon.testmon_core.eval_environment
    import hashlib
    def md5(string):
        return hashlib.md5(string.encode()).hexdigest()
    eval_globals = {'os': os, 'sys': sys, 'hashlib': hashlib, 'md5': md5}
    try:
        return str(eval(expression, eval_globals))
    except Exception as error:
        return repr(error)

def testmon_version():
    try:
        import testmon
        version = getattr(testmon, 'TESTMON_VERSION', None) or getattr(testmon, 'VERSION', None)
        if version:
            return version, getattr(testmon, '__file__', None)
    except ImportError:
        pass
    try:
        import importlib.metadata
        return importlib.metadata.version('pytest-testmon'), None
    except Exception:
        return '', None

def other_finders():
    known = sys.modules['_frozen_importlib_external'].PathFinder
    return [finder for finder in sys.meta_path if finder is not known and hasattr(finder, 'find_distributions')]

def other_distributions(finders):
    from importlib.metadata import DistributionFinder
    context = DistributionFinder.Context()
    for finder in finders:
        for distribution in finder.find_distributions(context):
            for value in (distribution.metadata['Name'], distribution.version):
                yield b'-' if value is None else b'=' + str(value).encode('utf-8', 'backslashreplace')

def field_list(fields):
    fields = [field if isinstance(field, bytes) else encode(field) for field in fields]
    # A list comes after its size.
    return [str(len(fields)).encode()] + fields

def startup_files(testmon_file):
    files = [getattr(module, '__file__', None) for module in startup.values()] + [testmon_file]
    try:
        with open('/proc/self/maps') as maps:
            files += set(line.split(None, 5)[5].rstrip('\n') for line in maps if 'libpython' in line)
    except OSError:
        pass
    return [file for file in files if isinstance(file, str)]

def site_directories():
    site = startup.get('site')
    if site is None:
        return []
    directories = list(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        directories.append(site.getusersitepackages())
    return directories

def answer():
    yield '%d.%d.%d' % sys.version_info[:3]
    if sys.version_info < (3, 8):
        return
    expression = sys.argv[1]
    sys.path[:0] = sys.argv[2:]
    del sys.argv[1:]
    version, testmon_file = testmon_version()
    yield version
    # Python decoded the argument as a file name; the configuration file is UTF-8.
    expression = encode(expression).decode('utf-8', 'replace')
    yield evaluate(expression).encode('utf-8', 'backslashreplace') if expression else b''
    for field in field_list([entry for entry in sys.path if isinstance(entry, str)]):
        yield field
    finders = other_finders()
    yield str(len(finders))
    for field in field_list(other_distributions(finders) if finders else []):
        yield field
    yield '1' if testmon_file else '0'
    yield os.path.dirname(os.__file__)
    names = set(name.partition('.')[0] for name, module in startup.items() if hasattr(module, '__file__'))
    for values in (site_directories(), names, startup_files(testmon_file)):
        for field in field_list(values):
            yield field

fields = field_list(answer())[1:]
text = b''.join([str(len(field)).encode() + b':' + field + b',' for field in fields])
sys.stdout.flush()
os.write(1, b'\ntestmon-precreate-probe:' + text + b'\n')
)";

[[noreturn]] void throw_no_answer() {
  throw std::invalid_argument("the interpreter did not answer the probe");
}

std::size_t parse_number(std::string_view& text) {
  std::size_t number = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    throw_no_answer();
  }
  text.remove_prefix(static_cast<std::size_t>(after - text.data()));
  return number;
}

// Takes netstrings off the front of a text.
class AnswerReader {
public:
  explicit AnswerReader(std::string_view text)
      : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.starts_with('\n'); }

  std::string_view read_text() {
    const std::size_t size = parse_number(text_);
    if (!text_.starts_with(':') || size + 1 >= text_.size() || text_[size + 1] != ',') {
      throw_no_answer();
    }
    const std::string_view text = text_.substr(1, size);
    text_.remove_prefix(size + 2);
    return text;
  }

  std::size_t read_number() {
    std::string_view text = read_text();
    return parse_number(text);
  }

  // A list comes after its size.
  std::vector<std::string> read_list() {
    std::vector<std::string> list;
    for (std::size_t left = read_number(); left > 0; --left) {
      list.emplace_back(read_text());
    }
    return list;
  }

private:
  std::string_view text_;
};

std::optional<std::string> optional_text(std::string_view text) {
  if (text == "-") {
    return std::nullopt;
  }
  return std::string(text.substr(std::min<std::size_t>(text.size(), 1)));
}

std::vector<Distribution> read_distributions(AnswerReader& reader) {
  std::vector<Distribution> distributions;
  for (std::size_t left = reader.read_number(); left > 1; left -= 2) {
    const std::string_view name = reader.read_text();
    const std::string_view version = reader.read_text();
    distributions.push_back({.name = optional_text(name), .version = optional_text(version)});
  }
  return distributions;
}

} // namespace

bool needs_evaluation(const ProbeRequest& request) {
  const bool named = request.environment_name.has_value() && !request.environment_name->empty();
  return !named && !request.environment_expression.empty();
}

std::vector<std::string> probe_command(const ProbeRequest& request) {
  std::vector<std::string> command{request.interpreter.string(), "-c", script,
                                   needs_evaluation(request) ? request.environment_expression
                                                             : std::string()};
  for (const std::filesystem::path& addition : request.sys_path_additions) {
    command.push_back(addition.string());
  }
  return command;
}

ProbeAnswer parse_probe_answer(std::string_view output) {
  const std::size_t begin = output.rfind(answer_begins);
  if (begin == std::string_view::npos) {
    throw_no_answer();
  }
  AnswerReader reader(output.substr(begin + answer_begins.size()));
  ProbeAnswer answer;
  answer.python_version = reader.read_text();
  if (reader.at_end()) {
    return answer; // too old to say more
  }
  answer.testmon_version = reader.read_text();
  answer.environment_name = reader.read_text();
  answer.sys_path = reader.read_list();
  answer.has_other_finders = reader.read_number() > 0;
  answer.other_distributions = read_distributions(reader);
  answer.testmon_imported = reader.read_number() > 0;
  answer.library = reader.read_text();
  answer.site_directories = reader.read_list();
  answer.startup_modules = reader.read_list();
  answer.startup_files = reader.read_list();
  return answer;
}

} // namespace testmon_precreate::python
