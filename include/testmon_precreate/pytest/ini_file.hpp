#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace testmon_precreate::pytest {

// Section name → option name → value; the lines of a value are joined by '\n'.
using IniSections = std::map<std::string, std::map<std::string, std::string>>;

// An INI file that cannot be parsed. what() is the reason without the file's name.
class IniSyntaxError : public std::runtime_error {
public:
  IniSyntaxError(std::size_t line, const std::string& reason)
      : std::runtime_error(reason)
      , line_(line) {}

  // Counted from 1.
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

private:
  std::size_t line_;
};

// Parses what the package iniconfig parses, with the same sections and values (iniconfig 2.3, which
// reads pytest's INI files). White space and line ends are Unicode's. Throws IniSyntaxError with
// the first line at which iniconfig would fail, also for text that is not UTF-8.
[[nodiscard]] IniSections parse_ini(std::string_view text);

} // namespace testmon_precreate::pytest
