#include "testmon_precreate/pytest/command_line.hpp"

#include "option_table.hpp"

#include <testmon_precreate/core/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace testmon_precreate::pytest {

namespace {

// `-1`, `-.5`: argparse takes them for values if no option looks like a number.
bool is_negative_number(std::string_view word) {
  const std::string_view digits = word.substr(1);
  const std::size_t dot = digits.find('.');
  const auto all_digits = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (dot == std::string_view::npos) {
    return !digits.empty() && all_digits(digits);
  }
  return dot + 1 < digits.size() && all_digits(digits.substr(0, dot)) &&
         all_digits(digits.substr(dot + 1));
}

// An option as one word gives it: its name, its value if the same word holds it, and what it
// takes if it is known.
struct OptionWord {
  std::string name;
  std::optional<std::string> value;
  std::optional<ValueCount> count;
};

OptionWord split_option(const std::string& word, KnownOptions known) {
  if (const auto count = value_count(word, known)) {
    return {word, std::nullopt, count};
  }
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) {
    const std::string name = word.substr(0, equals);
    if (const auto count = value_count(name, known)) {
      return {name, word.substr(equals + 1), count};
    }
  }
  if (!word.starts_with("--")) {
    const std::string name = word.substr(0, 2);
    if (const auto count = value_count(name, known)) {
      return {name, word.substr(2), count};
    }
  }
  return {word, std::nullopt, std::nullopt};
}

// As argparse's _parse_optional.
bool is_option(const std::string& word, KnownOptions known) {
  if (word.size() < 2 || word.front() != '-') {
    return false;
  }
  return split_option(word, known).count.has_value() ||
         (!is_negative_number(word) && word.find(' ') == std::string::npos);
}

std::pair<std::string, std::string> parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw core::UsageError({.what = fmt::format("-o expects option=value, not {:?}", text),
                            .where = "pytest's arguments",
                            .hint = {}});
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void apply_value(CommandLine& line, std::string_view name, const std::string& value) {
  if (name == "--rootdir") {
    line.rootdir = value;
  } else if (name == "-c" || name == "--config-file") {
    line.config_file = value;
  } else if (name == "-o" || name == "--override-ini") {
    line.overrides.push_back(parse_override(value));
  } else if (name == "--ignore") {
    line.ignore.push_back(value);
  } else if (name == "--ignore-glob") {
    line.ignore_globs.push_back(value);
  } else if (name == "--testmon-env") {
    line.testmon_environment = value;
  } else if (name == "-n" || name == "--numprocesses") {
    line.workers = value;
  } else if (name == "--dist") {
    line.distribution = value;
  } else if (name == "--import-mode") {
    line.import_mode = value;
  } else if (name == "--confcutdir") {
    line.confcutdir = value;
  } else if (name == "-k") {
    line.keywords = value;
  } else if (name == "-m") {
    line.markers = value;
  } else if (name == "-p") {
    line.plugins.push_back(value);
  }
}

class Reader {
public:
  Reader(std::span<const std::string> words, KnownOptions known, const IsPath& is_path)
      : words_(words)
      , known_(known)
      , is_path_(is_path) {}

  CommandLine read() {
    while (position_ < words_.size()) {
      const std::string& word = words_[position_++];
      if (!options_ended_ && word == "--") {
        options_ended_ = true;
      } else if (options_ended_ || !is_option(word, known_)) {
        add_path(word);
      } else {
        // argparse fills its one positional list from the first run of such words.
        if (line_.leading_paths == 0) {
          line_.leading_paths = line_.paths.size();
        }
        read_option(split_option(word, known_));
      }
    }
    if (line_.leading_paths == 0) {
      line_.leading_paths = line_.paths.size();
    }
    return std::move(line_);
  }

private:
  // Not a path, but the value of an option that is not known, if it does not exist.
  void add_path(const std::string& word) {
    after_unknown_ = after_unknown_ && !options_ended_ && is_path_ && !is_path_(word);
    if (!after_unknown_) {
      line_.paths.push_back(word);
    }
  }

  void read_option(const OptionWord& option) {
    after_unknown_ = !option.count && option.name.find('=') == std::string::npos;
    if (!option.count) {
      line_.flags.push_back(option.name);
    } else if (*option.count == ValueCount::none) {
      line_.flags.push_back(option.name);
      // `-xvs`: what follows a flag's letter is the next option.
      if (option.value && !option.value->empty() && !option.name.starts_with("--")) {
        read_option(split_option('-' + *option.value, known_));
      }
    } else if (option.value) {
      apply_value(line_, option.name, *option.value);
    } else {
      read_values(option);
    }
  }

  void read_values(const OptionWord& option) {
    const std::optional<std::string> value = next_value();
    if (*option.count == ValueCount::one) {
      if (!value) {
        throw core::UsageError(
            {.what = option.name + " expects a value", .where = "pytest's arguments", .hint = {}});
      }
      apply_value(line_, option.name, *value);
    }
  }

  std::optional<std::string> next_value() {
    if (position_ == words_.size() || words_[position_] == "--" ||
        is_option(words_[position_], known_)) {
      return std::nullopt;
    }
    return words_[position_++];
  }

  std::span<const std::string> words_;
  KnownOptions known_;
  const IsPath& is_path_;
  std::size_t position_ = 0;
  bool options_ended_ = false;
  bool after_unknown_ = false;
  CommandLine line_;
};

} // namespace

bool CommandLine::has_flag(std::string_view flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

bool CommandLine::has_plugin(std::string_view value) const {
  return std::find(plugins.begin(), plugins.end(), value) != plugins.end();
}

CommandLine parse_command_line(std::span<const std::string> arguments, KnownOptions known,
                               const IsPath& is_path) {
  return Reader(arguments, known, is_path).read();
}

} // namespace testmon_precreate::pytest
