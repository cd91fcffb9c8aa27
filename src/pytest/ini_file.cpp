#include "testmon_precreate/pytest/ini_file.hpp"
#include <testmon_precreate/util/unicode.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace testmon_precreate::pytest {

namespace {

using Text = std::u32string_view;

Text strip_right(Text text) {
  while (!text.empty() && util::is_unicode_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

Text strip(Text text) {
  text = strip_right(text);
  while (!text.empty() && util::is_unicode_space(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

// What a file opened in Python's text mode yields: every line end is '\n'.
void translate_line_ends(std::u32string& text) {
  std::size_t target = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\r') {
      text[target++] = U'\n';
      if (i + 1 < text.size() && text[i + 1] == U'\n') {
        ++i;
      }
    } else {
      text[target++] = text[i];
    }
  }
  text.resize(target);
}

bool is_line_end(char32_t c) {
  return c == U'\n' || c == U'\v' || c == U'\f' || (c >= 0x1C && c <= 0x1E) || c == 0x85 ||
         c == 0x2028 || c == 0x2029;
}

// As str.splitlines() with line ends translated.
std::vector<Text> split_lines(Text text) {
  std::vector<Text> lines;
  while (!text.empty()) {
    const auto* const end = std::find_if(text.begin(), text.end(), is_line_end);
    const auto length = static_cast<std::size_t>(end - text.begin());
    lines.push_back(text.substr(0, length));
    text.remove_prefix(std::min(text.size(), length + 1));
  }
  return lines;
}

[[noreturn]] void fail(std::size_t line, const char* reason) { throw IniSyntaxError(line, reason); }

// What one line says: `[name]` has a name alone, `name = data` both, a continuation data alone, a
// blank line or a comment neither.
struct Line {
  std::optional<Text> name;
  std::optional<Text> data;
};

Line parse_section_line(Text line) {
  Text header = line;
  for (const char32_t comment : {U'#', U';'}) {
    header = strip_right(header.substr(0, header.find(comment)));
  }
  if (header.ends_with(U']')) {
    return {header.substr(1, header.size() - 2), std::nullopt};
  }
  return {std::nullopt, strip(line)};
}

Line parse_line(Text line, std::size_t number) {
  const auto is_broken = [](char32_t c) { return c >= 0xDC80 && c <= 0xDCFF; };
  if (std::any_of(line.begin(), line.end(), is_broken)) {
    fail(number, "not UTF-8");
  }
  line = strip_right(line);
  const Text content = strip(line);
  if (content.empty() || content.front() == U'#' || content.front() == U';') {
    return {};
  }
  if (line.front() == U'[') {
    return parse_section_line(line);
  }
  if (util::is_unicode_space(line.front())) {
    return {std::nullopt, content};
  }
  std::size_t end = line.find(U'=');
  if (end == Text::npos || line.substr(0, end).find(U':') != Text::npos) {
    end = line.find(U':');
  }
  if (end == Text::npos) {
    fail(number, "neither a section nor an option");
  }
  return {strip(line.substr(0, end)), strip(line.substr(end + 1))};
}

// Puts the lines together.
class Parser {
public:
  void add(Text line) {
    ++number_;
    const auto [name, data] = parse_line(line, number_);
    if (name && data) {
      begin_option(*name, *data);
    } else if (name) {
      begin_section(*name);
    } else if (data) {
      continue_value(*data);
    }
  }

  [[nodiscard]] IniSections sections() && { return std::move(sections_); }

private:
  void begin_section(Text name) {
    if (name.empty()) {
      fail(number_, "a section without a name");
    }
    const auto [section, is_new] = sections_.try_emplace(util::encode_surrogateescape(name));
    if (!is_new) {
      fail(number_, "a second section of this name");
    }
    section_ = &section->second;
    value_ = nullptr;
  }

  void begin_option(Text name, Text data) {
    if (section_ == nullptr) {
      fail(number_, "an option before the first section");
    }
    const auto [option, is_new] = section_->try_emplace(util::encode_surrogateescape(name),
                                                        util::encode_surrogateescape(data));
    if (!is_new) {
      fail(number_, "a second option of this name");
    }
    value_ = &option->second;
  }

  void continue_value(Text data) {
    if (value_ == nullptr) {
      fail(number_, "an indented line that continues no option");
    }
    *value_ += (value_->empty() ? "" : "\n") + util::encode_surrogateescape(data);
  }

  IniSections sections_;
  IniSections::mapped_type* section_ = nullptr; // the one that is open
  std::string* value_ = nullptr;                // of the option that may go on
  std::size_t number_ = 0;
};

} // namespace

IniSections parse_ini(std::string_view text) {
  std::u32string characters = util::decode_surrogateescape(text);
  translate_line_ends(characters);
  Text content = characters;
  if (content.starts_with(U'\uFEFF')) {
    content.remove_prefix(1);
  }
  Parser parser;
  for (const Text line : split_lines(content)) {
    parser.add(line);
  }
  return std::move(parser).sections();
}

} // namespace testmon_precreate::pytest
