#pragma once

#include <testmon_precreate/pytest/version.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::pytest {

// An ini value as pytest holds it: a string from INI files, a string or a list from TOML.
struct IniValue {
  std::string text;              // of a list: its items joined by '\n'
  std::vector<std::string> list; // from a TOML array
  bool is_list = false;
  bool is_native = false; // from a table in which pytest takes TOML's own types, unconverted
};

using IniValues = std::map<std::string, IniValue>;

// The names under which pytest looks for its configuration, in this order.
[[nodiscard]] const std::vector<std::string>& configuration_names(const PytestVersion& version);

// Reads the pytest section of `file` by its name's rules. Nothing if the file does not configure
// pytest; an empty map if it does so by its name alone, as an empty pytest.ini. Throws
// UsageError with file and line for what pytest could not parse either.
[[nodiscard]] std::optional<IniValues> load_configuration(const std::filesystem::path& file,
                                                          const PytestVersion& version);

} // namespace testmon_precreate::pytest
