#include <testmon_precreate/pytest/pattern.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <algorithm>

namespace testmon_precreate::pytest {

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The parts of a set between the hyphens that make ranges, as fnmatch.translate cuts them.
std::vector<std::u32string> range_chunks(std::u32string_view stuff) {
  std::vector<std::u32string> chunks;
  std::size_t begin = 0;
  std::size_t search = stuff[0] == U'!' ? 2 : 1;
  while (search < stuff.size()) {
    const std::size_t hyphen = stuff.find(U'-', search);
    if (hyphen == std::u32string_view::npos) {
      break;
    }
    chunks.emplace_back(stuff.substr(begin, hyphen - begin));
    begin = hyphen + 1;
    search = hyphen + 3;
  }
  if (begin < stuff.size()) {
    chunks.emplace_back(stuff.substr(begin));
  } else {
    chunks.back() += U'-';
  }
  // Ranges that hold nothing are left out.
  for (std::size_t k = chunks.size() - 1; k > 0; --k) {
    if (chunks[k - 1].back() > chunks[k].front()) {
      chunks[k - 1].pop_back();
      chunks[k - 1] += chunks[k].substr(1);
      chunks.erase(chunks.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
  return chunks;
}

} // namespace

Pattern::Pattern(std::string_view text) {
  const std::size_t star = text.find('*');
  has_star_ = star != std::string_view::npos;
  simple_ = is_ascii(text) && text.find_first_of("?[") == std::string_view::npos &&
            (!has_star_ || text.find('*', star + 1) == std::string_view::npos);
  if (simple_) {
    prefix_ = text.substr(0, star);
    suffix_ = has_star_ ? text.substr(star + 1) : std::string_view();
  } else {
    compile(util::decode_surrogateescape(text));
  }
}

void Pattern::compile(std::u32string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text[i++];
    if (c == U'*') {
      if (tokens_.empty() || tokens_.back().kind != Kind::star) {
        tokens_.push_back({Kind::star, 0, false, {}});
      }
    } else if (c == U'?') {
      tokens_.push_back({Kind::any, 0, false, {}});
    } else if (c == U'[') {
      i = compile_set(text, i);
    } else {
      tokens_.push_back({Kind::literal, c, false, {}});
    }
  }
}

// Compiles the set whose first character is at `begin`; returns where the text goes on.
std::size_t Pattern::compile_set(std::u32string_view text, std::size_t begin) {
  std::size_t end = begin;
  if (end < text.size() && text[end] == U'!') {
    ++end;
  }
  if (end < text.size() && text[end] == U']') {
    ++end;
  }
  end = text.find(U']', end);
  if (end == std::u32string_view::npos) {
    tokens_.push_back({Kind::literal, U'[', false, {}});
    return begin;
  }
  std::vector<std::u32string> chunks = range_chunks(text.substr(begin, end - begin));
  Token token{Kind::set, 0, false, {}};
  if (!chunks[0].empty() && chunks[0].front() == U'!') {
    token.negated = true;
    chunks[0].erase(0, 1);
  }
  for (std::size_t k = 0; k < chunks.size(); ++k) {
    for (const char32_t c : chunks[k]) {
      token.ranges.emplace_back(c, c);
    }
    if (k > 0 && !chunks[k - 1].empty()) {
      token.ranges.emplace_back(chunks[k - 1].back(), chunks[k].front());
    }
  }
  tokens_.push_back(std::move(token));
  return end + 1;
}

bool Pattern::matches_one(const Token& token, char32_t character) {
  if (token.kind == Kind::any) {
    return true;
  }
  if (token.kind == Kind::literal) {
    return token.character == character;
  }
  const bool found = std::any_of(token.ranges.begin(), token.ranges.end(), [&](const auto& range) {
    return range.first <= character && character <= range.second;
  });
  return found != token.negated;
}

bool Pattern::matches(std::string_view name) const {
  if (simple_) {
    return has_star_ ? name.size() >= prefix_.size() + suffix_.size() &&
                           name.starts_with(prefix_) && name.ends_with(suffix_)
                     : name == prefix_;
  }
  const std::u32string characters = util::decode_surrogateescape(name);
  // On a mismatch the last star takes one character more; earlier stars never need to.
  constexpr auto none = static_cast<std::size_t>(-1);
  std::size_t token = 0;
  std::size_t position = 0;
  std::size_t star_token = none;
  std::size_t star_position = 0;
  while (position < characters.size()) {
    if (token < tokens_.size() && tokens_[token].kind == Kind::star) {
      star_token = token++;
      star_position = position;
    } else if (token < tokens_.size() && matches_one(tokens_[token], characters[position])) {
      ++token;
      ++position;
    } else if (star_token != none) {
      token = star_token + 1;
      position = ++star_position;
    } else {
      return false;
    }
  }
  while (token < tokens_.size() && tokens_[token].kind == Kind::star) {
    ++token;
  }
  return token == tokens_.size();
}

PathPatterns::PathPatterns(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (text.find('/') == std::string::npos) {
      of_names_.emplace_back(text);
    } else {
      of_paths_.emplace_back(text.front() == '/' ? text : "*/" + text);
    }
  }
}

bool PathPatterns::match(std::string_view directory, std::string_view name) const {
  const auto matches_name = [&](const Pattern& pattern) { return pattern.matches(name); };
  if (std::any_of(of_names_.begin(), of_names_.end(), matches_name)) {
    return true;
  }
  if (of_paths_.empty()) {
    return false;
  }
  std::string path(directory);
  if (!path.ends_with('/')) {
    path += '/';
  }
  path += name;
  return std::any_of(of_paths_.begin(), of_paths_.end(),
                     [&](const Pattern& pattern) { return pattern.matches(path); });
}

} // namespace testmon_precreate::pytest
