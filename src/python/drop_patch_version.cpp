#include <testmon_precreate/python/character_classes.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/utf8.hpp>

#include <algorithm>
#include <optional>

namespace testmon_precreate::python {

namespace {

// Looks at a text one code point at a time, with Python's character classes.
class Text {
public:
  Text(std::string_view bytes, PythonVersion python)
      : bytes_(bytes)
      , python_(python) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  [[nodiscard]] bool is_word(std::size_t at) const {
    return is_word_character(point_at(at), python_);
  }

  [[nodiscard]] bool is_digit(std::size_t at) const {
    return is_decimal_digit(point_at(at), python_);
  }

  [[nodiscard]] bool is_space(std::size_t at) const { return is_white_space(point_at(at)); }

  // [\w_-]
  [[nodiscard]] bool is_name(std::size_t at) const {
    return at < size() && (bytes_[at] == '-' || is_word(at));
  }

  [[nodiscard]] bool is_dot(std::size_t at) const { return at < size() && bytes_[at] == '.'; }

  [[nodiscard]] std::size_t next(std::size_t at) const {
    return at + std::max<std::size_t>(first_code_point(bytes_.substr(at)).size, 1);
  }

  // The end of the run of characters from `at` on for which `predicate` holds.
  template <typename Predicate>
  [[nodiscard]] std::size_t skip(std::size_t at, Predicate predicate) const {
    while (at < size() && (this->*predicate)(at)) {
      at = next(at);
    }
    return at;
  }

private:
  // NUL, which is in no class, at the end of the text.
  [[nodiscard]] std::uint32_t point_at(std::size_t at) const {
    return at < size() ? first_code_point(bytes_.substr(at)).value : 0;
  }

  std::string_view bytes_;
  PythonVersion python_;
};

// `\s\d+\.\d+\.\w+\b` at `at`: where the third component begins, with its dot, and ends. No class
// overlaps with what must follow it, so greedy runs never have to give anything back.
struct PatchVersion {
  std::size_t begin;
  std::size_t end;
};

std::optional<PatchVersion> match_version(const Text& text, std::size_t at) {
  if (!text.is_space(at)) {
    return std::nullopt;
  }
  at = text.next(at);
  for (int component = 0; component < 2; ++component) {
    const std::size_t end = text.skip(at, &Text::is_digit);
    if (end == at || !text.is_dot(end)) {
      return std::nullopt;
    }
    at = end + 1;
  }
  const std::size_t end = text.skip(at, &Text::is_word);
  if (end == at) {
    return std::nullopt;
  }
  return PatchVersion{.begin = at - 1, .end = end};
}

} // namespace

std::string drop_patch_version(std::string_view text, PythonVersion python) {
  const Text characters(text, python);
  std::string result;
  std::size_t copied = 0; // input up to here is in the result
  std::size_t at = 0;
  bool after_word = false; // whether the character before `at` is a word character
  while (at < characters.size()) {
    // A run of [\w_-] with a word boundary somewhere in it can begin a match.
    bool has_boundary = false;
    const std::size_t run = at;
    while (characters.is_name(at)) {
      has_boundary = has_boundary || characters.is_word(at) != after_word;
      after_word = characters.is_word(at);
      at = characters.next(at);
    }
    const auto version = at > run && has_boundary ? match_version(characters, at) : std::nullopt;
    if (version.has_value()) {
      result.append(text.substr(copied, version->begin - copied));
      copied = version->end;
      at = version->end;
      after_word = true;
    } else if (at < characters.size()) {
      after_word = false;
      at = characters.next(at);
    }
  }
  return result.append(text.substr(copied));
}

} // namespace testmon_precreate::python
