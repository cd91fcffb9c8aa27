#include "testmon_precreate/python/metadata.hpp"
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace testmon_precreate::python {

namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Cuts lines off a text as Python's universal newlines do: \n, \r and \r\n end a line.
class LineReader {
public:
  LineReader(std::string_view text, bool complete)
      : text_(text)
      , complete_(complete) {}

  // The next line without its end; nothing at the end of the text, or if the line may go on.
  std::optional<std::string_view> next() {
    const std::size_t end = text_.find_first_of("\r\n", position_);
    const bool cut_off =
        end == std::string_view::npos || (text_[end] == '\r' && end + 1 == text_.size());
    if (position_ == text_.size() || (cut_off && !complete_)) {
      return std::nullopt;
    }
    const std::string_view line = text_.substr(position_, end - position_);
    const std::size_t after = end == std::string_view::npos ? text_.size() : end + 1;
    const bool two = after < text_.size() && text_[after - 1] == '\r' && text_[after] == '\n';
    position_ = after + (two ? 1 : 0);
    return line;
  }

  [[nodiscard]] std::size_t position() const { return position_; }

private:
  std::string_view text_;
  bool complete_;
  std::size_t position_ = 0;
};

// email.feedparser.headerRE: `From `, blank, or printable ASCII without a colon up to a colon.
bool belongs_to_headers(std::string_view line) {
  if (line.empty()) {
    return false;
  }
  if (is_blank(line.front()) || line.starts_with("From ")) {
    return true;
  }
  const auto ends_name = [](char c) { return c <= ' ' || c > '~' || c == ':'; };
  const auto* const end = std::find_if(line.begin(), line.end(), ends_name);
  return end != line.end() && *end == ':';
}

// A header and the lines it is folded over, joined by \n.
struct Header {
  std::string_view name;
  std::string value;

  [[nodiscard]] bool is_called(std::string_view lower_case_name) const {
    return name.size() == lower_case_name.size() && util::to_lower(name) == lower_case_name;
  }
};

Header start_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  return {.name = line.substr(0, colon), .value = std::string(value)};
}

// textwrap.dedent's margin: the longest common start of blanks of all lines that hold more.
std::string_view common_margin(const std::vector<std::string_view>& lines) {
  std::optional<std::string_view> margin;
  for (const std::string_view line : lines) {
    const std::size_t indent_size = line.find_first_not_of(" \t");
    if (indent_size == std::string_view::npos) {
      continue;
    }
    const std::string_view indent = line.substr(0, indent_size);
    if (!margin.has_value()) {
      margin = indent;
      continue;
    }
    const auto differ = std::mismatch(margin->begin(), margin->end(), indent.begin(), indent.end());
    margin = indent.substr(0, static_cast<std::size_t>(differ.second - indent.begin()));
  }
  return margin.value_or(std::string_view());
}

// importlib.metadata._adapters.Message: textwrap.dedent(' ' * 8 + value).
std::string redent(const std::string& value) {
  const std::string indented = std::string(8, ' ') + value;
  const std::vector<std::string_view> lines = util::split(indented, '\n');
  const std::string_view margin = common_margin(lines);
  std::string result;
  for (const std::string_view line : lines) {
    if (line.data() != indented.data()) {
      result += '\n';
    }
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      result += line.substr(margin.size());
    }
  }
  return result;
}

std::string final_value(std::string value, PythonVersion python) {
  value.erase(value.find_last_not_of('\n') + 1);
  if (python >= PythonVersion{3, 10} && value.find('\n') != std::string::npos) {
    return redent(value);
  }
  return value;
}

// Collects the first `Name` and the first `Version`.
class HeaderCollector {
public:
  explicit HeaderCollector(PythonVersion python)
      : python_(python) {}

  void add_line(std::string_view line) {
    if (is_blank(line.front())) {
      // A continuation of nothing is ignored.
      if (open_.has_value()) {
        open_->value.append("\n").append(line);
      }
      return;
    }
    close_header();
    // A Unix-from line and a line without a name are ignored, their continuations too.
    if (!line.starts_with("From ") && line.front() != ':') {
      open_ = start_header(line);
    }
  }

  void close_header() {
    if (!open_.has_value()) {
      return;
    }
    if (!found_.name.has_value() && open_->is_called("name")) {
      found_.name = final_value(std::move(open_->value), python_);
    } else if (!found_.version.has_value() && open_->is_called("version")) {
      found_.version = final_value(std::move(open_->value), python_);
    }
    open_.reset();
  }

  [[nodiscard]] bool has_both() const {
    return found_.name.has_value() && found_.version.has_value();
  }

  [[nodiscard]] const Distribution& found() const { return found_; }

private:
  PythonVersion python_;
  std::optional<Header> open_;
  Distribution found_;
};

} // namespace

std::optional<Distribution> parse_metadata(std::string_view text, bool complete,
                                           PythonVersion python) {
  LineReader lines(text, complete);
  HeaderCollector collector(python);
  bool ended = false;
  while (!ended && !collector.has_both()) {
    const std::optional<std::string_view> line = lines.next();
    if (!line.has_value() && !complete) {
      return std::nullopt;
    }
    ended = !line.has_value() || !belongs_to_headers(*line);
    if (ended) {
      collector.close_header();
    } else {
      collector.add_line(*line);
    }
  }
  if (!util::is_utf8(text.substr(0, lines.position()))) {
    throw std::invalid_argument("not UTF-8");
  }
  return collector.found();
}

} // namespace testmon_precreate::python
