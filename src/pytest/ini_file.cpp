#include <testmon_precreate/pytest/ini_file.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
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

bool is_printable(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD;
  const bool format = (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
                      (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB);
  const bool private_use = (c >= 0xE000 && c <= 0xF8FF) || c >= 0xE0000;
  return c == U' ' || (!control && !format && !private_use && !util::is_unicode_space(c));
}

// As Python's repr(); which characters count as printable is known for the usual ones only.
std::string repr(Text text) {
  const bool double_quotes = text.find(U'\'') != Text::npos && text.find(U'"') == Text::npos;
  const char32_t quote = double_quotes ? U'"' : U'\'';
  const std::string ends(1, static_cast<char>(quote));
  std::string result = ends;
  for (const char32_t c : text) {
    if (c == quote || c == U'\\') {
      result += '\\';
      result += static_cast<char>(c);
    } else if (c == U'\t') {
      result += "\\t";
    } else if (is_printable(c)) {
      result += util::encode_surrogateescape(Text(&c, 1));
    } else if (c < 0x100) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else if (c < 0x10000) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += fmt::format("\\U{:08x}", static_cast<unsigned>(c));
    }
  }
  return result + ends;
}

[[noreturn]] void fail(std::size_t line, const std::string& reason) {
  throw IniSyntaxError(line, reason);
}

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
    fail(number, "unexpected line: " + repr(line));
  }
  return {strip(line.substr(0, end)), strip(line.substr(end + 1))};
}

// A section header or an option with the lines of its value.
struct Entry {
  std::size_t line = 0;
  std::optional<Text> section;
  std::optional<Text> name;
  std::vector<Text> value;
};

std::vector<Entry> parse_entries(const std::vector<Text>& lines) {
  std::vector<Entry> entries;
  std::optional<Text> section;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t number = i + 1;
    const auto [name, data] = parse_line(lines[i], number);
    if (name && data) {
      entries.push_back({number, section, name, {}});
      if (!data->empty()) {
        entries.back().value.push_back(*data);
      }
    } else if (name) {
      if (name->empty()) {
        fail(number, "empty section name");
      }
      section = name;
      entries.push_back({number, section, std::nullopt, {}});
    } else if (data) {
      if (entries.empty() || !entries.back().name) {
        fail(number, "unexpected value continuation");
      }
      entries.back().value.push_back(*data);
    }
  }
  return entries;
}

std::string join(const std::vector<Text>& lines) {
  std::string joined;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      joined += '\n';
    }
    joined += util::encode_surrogateescape(lines[i]);
  }
  return joined;
}

// The line of the first byte that is not UTF-8, from 1.
std::size_t line_of_first_broken_byte(std::string_view text) {
  const std::u32string characters = util::decode_surrogateescape(text);
  const auto broken = std::find_if(characters.begin(), characters.end(),
                                   [](char32_t c) { return c >= 0xDC80 && c <= 0xDCFF; });
  return 1 + static_cast<std::size_t>(std::count(characters.begin(), broken, U'\n'));
}

} // namespace

IniSections parse_ini(std::string_view text) {
  std::optional<std::u32string> characters = util::decode_utf8(text);
  if (!characters) {
    fail(line_of_first_broken_byte(text), "not UTF-8");
  }
  translate_line_ends(*characters);
  Text content = *characters;
  if (content.starts_with(U'\uFEFF')) {
    content.remove_prefix(1);
  }
  IniSections sections;
  for (const Entry& entry : parse_entries(split_lines(content))) {
    if (!entry.section) {
      fail(entry.line, "no section header defined");
    }
    const std::string section = util::encode_surrogateescape(*entry.section);
    if (!entry.name) {
      if (!sections.try_emplace(section).second) {
        fail(entry.line, "duplicate section " + repr(*entry.section));
      }
      continue;
    }
    auto& options = sections[section];
    if (!options.try_emplace(util::encode_surrogateescape(*entry.name), join(entry.value)).second) {
      fail(entry.line, "duplicate name " + repr(*entry.name));
    }
  }
  return sections;
}

} // namespace testmon_precreate::pytest
