#include "probe_script.hpp"

#include <testmon_precreate/python/probe.hpp>

#include <charconv>
#include <stdexcept>
#include <system_error>

namespace testmon_precreate::python {

namespace {

constexpr std::string_view answer_begins = "\ntestmon-precreate-probe:";

// Runs in the interpreter: `-c SCRIPT EXPRESSION ADDITIONS…`. It imports nothing that start-up has
// not imported already, but testmon's own __init__ (one line) and, for an expression, hashlib.
// `-c` puts '' at the front of sys.path, which the script `pytest` does not have there; that goes
// first, so that no module of the working directory is imported by chance. The answer is a sequence
// of netstrings (`SIZE:BYTES,`): no module is needed to write it, and any byte can be in a path.
// Also a Python 2 must be able to run it, to be told that it is too old.
constexpr const char* script = R"(
import sys
if sys.path and not sys.path[0]:
    del sys.path[0]
import os
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
            return version
    except ImportError:
        pass
    try:
        import importlib.metadata
        return importlib.metadata.version('pytest-testmon')
    except Exception:
        return ''

expression = sys.argv[1]
sys.path[:0] = sys.argv[2:]
sys.argv[1:] = []
fields = ['%d.%d.%d' % sys.version_info[:3]]
if sys.version_info >= (3, 8):
    fields.append(testmon_version())
    if expression:
        # Python decoded the argument as a file name; the configuration file is UTF-8.
        expression = encode(expression).decode('utf-8', 'replace')
        name = evaluate(expression).encode('utf-8', 'backslashreplace')
    else:
        name = b''
    fields.append(name)
    fields += [entry for entry in sys.path if isinstance(entry, str)]
fields = [field if isinstance(field, bytes) else encode(field) for field in fields]
answer = b''.join([str(len(field)).encode() + b':' + field + b',' for field in fields])
sys.stdout.flush()
os.write(1, b'\ntestmon-precreate-probe:' + str(len(fields)).encode() + b',' + answer + b'\n')
)";

[[noreturn]] void throw_no_answer() {
  throw std::invalid_argument("the interpreter did not answer the probe");
}

// Takes netstrings off the front of a text.
class NetstringReader {
public:
  explicit NetstringReader(std::string_view text)
      : text_(text) {}

  std::size_t read_number(char terminator) {
    std::size_t number = 0;
    const auto [after, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    text_.remove_prefix(static_cast<std::size_t>(after - text_.data()));
    if (error != std::errc() || !text_.starts_with(terminator)) {
      throw_no_answer();
    }
    text_.remove_prefix(1);
    return number;
  }

  std::string read_text() {
    const std::size_t size = read_number(':');
    if (size >= text_.size() || text_[size] != ',') {
      throw_no_answer();
    }
    std::string text(text_.substr(0, size));
    text_.remove_prefix(size + 1);
    return text;
  }

private:
  std::string_view text_;
};

} // namespace

std::vector<std::string> probe_command(const ProbeRequest& request) {
  const bool named = request.environment_name.has_value() && !request.environment_name->empty();
  std::vector<std::string> command{request.interpreter.string(), "-c", script,
                                   named ? std::string() : request.environment_expression};
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
  NetstringReader reader(output.substr(begin + answer_begins.size()));
  const std::size_t count = reader.read_number(',');
  ProbeAnswer answer;
  answer.python_version = reader.read_text();
  constexpr std::size_t fields_before_path = 3;
  if (count < fields_before_path) {
    return answer;
  }
  answer.testmon_version = reader.read_text();
  answer.environment_name = reader.read_text();
  for (std::size_t i = fields_before_path; i < count; ++i) {
    answer.sys_path.push_back(reader.read_text());
  }
  return answer;
}

} // namespace testmon_precreate::python
