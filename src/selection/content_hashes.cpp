#include "testmon_precreate/selection/content_hashes.hpp"
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <sha1.h>

namespace testmon_precreate::selection {

namespace {

// The name of a blob whose header tells `length`. git's is the number of bytes.
std::string blob_name(std::size_t length, std::string_view content) {
  const std::string header = fmt::format("blob {}", length);
  SHA1_CTX context;
  SHA1Init(&context);
  const auto update = [&context](const char* data, std::size_t size) {
    // NOLINTNEXTLINE(*-reinterpret-cast): the library wants unsigned bytes
    SHA1Update(&context, reinterpret_cast<const std::uint8_t*>(data), size);
  };
  update(header.c_str(), header.size() + 1); // with its NUL
  if (!content.empty()) {
    update(content.data(), content.size());
  }
  std::array<std::uint8_t, SHA1_DIGEST_LENGTH> digest{};
  SHA1Final(digest.data(), &context);
  std::string name;
  for (const std::uint8_t byte : digest) {
    fmt::format_to(std::back_inserter(name), "{:02x}", byte);
  }
  return name;
}

bool is_not_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// The number of characters of a UTF-8 text, without a byte order mark. What is declared to have one
// byte a character has git's hash for testmon too, so that no declaration need be understood.
std::optional<std::size_t> characters_in(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
  if (std::none_of(text.begin(), text.end(), is_not_ascii)) {
    return text.size();
  }
  const auto characters = util::decode_utf8(text);
  return characters ? std::optional(characters->size()) : std::nullopt;
}

std::string with_line_feeds(std::string_view content) {
  std::string text;
  text.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\r' || i + 1 == content.size() || content[i + 1] != '\n') {
      text += content[i];
    }
  }
  return text;
}

// Of ASCII: str.isspace(). Any other byte may be a part of a space.
bool may_be_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f') || is_not_ascii(c);
}

// Whether textwrap.dedent, of any Python, leaves `text` as it is.
bool dedent_keeps(std::string_view text) {
  bool has_margin = true;
  bool has_words = false;
  for (const std::string_view line : util::split(text, '\n')) {
    if (line.empty()) {
      continue;
    }
    if (std::all_of(line.begin(), line.end(), may_be_space)) {
      return false;
    }
    has_words = true;
    has_margin = has_margin && (line.front() == ' ' || line.front() == '\t');
  }
  return !has_words || !has_margin;
}

// Whether there is a line that is neither blank nor a comment; no if that is not certain.
bool has_statement(std::string_view text) {
  const std::vector<std::string_view> lines = util::split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    const auto* const first = std::find_if_not(line.begin(), line.end(), may_be_space);
    return first != line.end() && *first != '#';
  });
}

} // namespace

ContentHashes hash_content(std::string_view content) {
  ContentHashes hashes;
  hashes.git = blob_name(content.size(), content);
  const bool has_form_feed = content.find('\f') != std::string_view::npos;
  const bool has_carriage_return = content.find("\r\n") != std::string_view::npos;
  std::string changed;
  std::string_view text = content;
  if (has_carriage_return) {
    changed = with_line_feeds(content);
    hashes.git_text = blob_name(changed.size(), changed);
    text = changed;
  }
  if (has_form_feed) { // https://bugs.python.org/issue19035
    changed = std::string(text);
    std::replace(changed.begin(), changed.end(), '\f', ' ');
    text = changed;
  }
  if (const auto length = characters_in(text)) {
    const bool is_gits = *length == content.size() && text == content;
    hashes.testmon = is_gits ? hashes.git : blob_name(*length, text);
  }
  hashes.one_reading = has_statement(text) && dedent_keeps(text);
  return hashes;
}

} // namespace testmon_precreate::selection
