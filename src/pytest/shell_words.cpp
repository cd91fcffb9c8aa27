#include "testmon_precreate/pytest/shell_words.hpp"
#include <testmon_precreate/core/errors.hpp>

#include <optional>

namespace testmon_precreate::pytest {

namespace {

[[noreturn]] void fail(const char* reason, std::string_view source) {
  throw core::UsageError({.what = reason, .where = std::string(source), .hint = {}});
}

// Reads one word after another, with the states of shlex.shlex.read_token.
class Splitter {
public:
  Splitter(std::string_view text, std::string_view source)
      : text_(text)
      , source_(source) {}

  std::optional<std::string> next() {
    skip_white_space();
    if (at_end()) {
      return std::nullopt;
    }
    std::string word;
    while (!at_end() && !is_white_space(text_[position_])) {
      const char c = text_[position_++];
      if (c == '\'' || c == '"') {
        read_quoted(c, word);
      } else if (c == '\\') {
        word += escaped();
      } else {
        word += c;
      }
    }
    return word;
  }

private:
  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }

  static bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  void skip_white_space() {
    while (!at_end() && is_white_space(text_[position_])) {
      ++position_;
    }
  }

  char escaped() {
    if (at_end()) {
      fail("no escaped character", source_);
    }
    return text_[position_++];
  }

  void read_quoted(char quote, std::string& word) {
    while (true) {
      if (at_end()) {
        fail("no closing quotation", source_);
      }
      const char c = text_[position_++];
      if (c == quote) {
        return;
      }
      if (c == '\\' && quote == '"') {
        const char next = escaped();
        // In double quotes a backslash escapes only itself and the quote.
        if (next != '\\' && next != '"') {
          word += '\\';
        }
        word += next;
      } else {
        word += c;
      }
    }
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t position_ = 0;
};

} // namespace

std::vector<std::string> split_shell_words(std::string_view text, std::string_view source) {
  std::vector<std::string> words;
  Splitter splitter(text, source);
  while (auto word = splitter.next()) {
    words.push_back(std::move(*word));
  }
  return words;
}

} // namespace testmon_precreate::pytest
