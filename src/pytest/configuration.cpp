#include "testmon_precreate/pytest/configuration.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/ini_file.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

constexpr PytestVersion native_toml_since{9, 0, 0};

[[noreturn]] void fail(const std::string& what, const std::string& where) {
  throw core::UsageError({.what = what, .where = where, .hint = {}});
}

std::string read_configuration(const fs::path& file) {
  constexpr std::size_t limit = std::size_t{16} * 1024 * 1024;
  try {
    return util::read_file(file, limit);
  } catch (const fs::filesystem_error& error) {
    fail("could not read pytest's configuration: " + error.code().message(), file.string());
  }
}

// --- INI ---

IniSections load_ini_sections(const fs::path& file) {
  try {
    return parse_ini(read_configuration(file));
  } catch (const IniSyntaxError& error) {
    fail(error.what(), fmt::format("{}:{}", file.string(), error.line()));
  }
}

std::optional<IniValues> section_of(const IniSections& sections, const std::string& name) {
  const auto section = sections.find(name);
  if (section == sections.end()) {
    return std::nullopt;
  }
  IniValues values;
  for (const auto& [key, value] : section->second) {
    values[key].text = value;
  }
  return values;
}

std::optional<IniValues> load_ini(const fs::path& file, const PytestVersion& version) {
  std::optional<IniValues> values = section_of(load_ini_sections(file), "pytest");
  const bool dedicated = file.filename() == "pytest.ini" ||
                         (file.filename() == ".pytest.ini" && version >= native_toml_since);
  return !values && dedicated ? IniValues() : values;
}

std::optional<IniValues> load_cfg(const fs::path& file) {
  const IniSections sections = load_ini_sections(file);
  std::optional<IniValues> values = section_of(sections, "tool:pytest");
  if (!values && sections.contains("pytest")) {
    fail("the section [pytest] of a .cfg file must be named [tool:pytest]", file.string());
  }
  return values;
}

// --- TOML ---

toml::table load_toml(const fs::path& file) {
  const std::string text = read_configuration(file);
  try {
    return toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    fail(std::string(error.description()),
         fmt::format("{}:{}", file.string(), error.source().begin.line));
  }
}

// A scalar as Python's str() shows it.
std::string scalar_text(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) {
    return *text;
  }
  if (const auto truth = node.value_exact<bool>()) {
    return *truth ? "True" : "False";
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return fmt::format("{}", *number);
  }
  if (const auto number = node.value_exact<double>()) {
    return fmt::format("{}", *number);
  }
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

IniValue value_of(const toml::node& node, bool native) {
  IniValue value;
  value.is_native = native;
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    value.text = scalar_text(node);
    return value;
  }
  value.is_list = true;
  for (const toml::node& item : *array) {
    value.list.push_back(scalar_text(item));
    value.text += (value.list.size() > 1 ? "\n" : "") + value.list.back();
  }
  return value;
}

IniValues values_of(const toml::table& table, bool native) {
  IniValues values;
  for (const auto& [key, node] : table) {
    values.insert_or_assign(std::string(key.str()), value_of(node, native));
  }
  return values;
}

std::optional<IniValues> tool_pytest_of(const toml::table& document, const fs::path& file,
                                        const PytestVersion& version) {
  const toml::table* const section = document["tool"]["pytest"].as_table();
  if (section == nullptr) {
    return std::nullopt;
  }
  const toml::table* const ini_options = (*section)["ini_options"].as_table();
  const std::size_t own_keys = section->size() - (section->contains("ini_options") ? 1U : 0U);
  if (version >= native_toml_since && own_keys > 0) {
    if (ini_options != nullptr && !ini_options->empty()) {
      fail("[tool.pytest] and [tool.pytest.ini_options] cannot be used together", file.string());
    }
    IniValues values = values_of(*section, true);
    values.erase("ini_options");
    return values;
  }
  return ini_options != nullptr ? std::optional(values_of(*ini_options, false)) : std::nullopt;
}

std::optional<IniValues> pytest_table_of(const toml::table& document, const fs::path& file,
                                         const PytestVersion& version) {
  if (const toml::table* const section = document["pytest"].as_table()) {
    return values_of(*section, true);
  }
  constexpr PytestVersion strict_since{9, 2, 0};
  for (const auto& [key, node] : document) {
    if (version >= strict_since && !node.is_table()) {
      fail(fmt::format("the option {} is outside the table [pytest]", key.str()),
           fmt::format("{}:{}", file.string(), node.source().begin.line));
    }
  }
  return std::nullopt;
}

std::optional<IniValues> load_toml_configuration(const fs::path& file,
                                                 const PytestVersion& version) {
  const toml::table document = load_toml(file);
  const std::string name = file.filename().string();
  if (version >= native_toml_since && (name == "pytest.toml" || name == ".pytest.toml")) {
    return pytest_table_of(document, file, version).value_or(IniValues());
  }
  std::optional<IniValues> values = tool_pytest_of(document, file, version);
  constexpr PytestVersion custom_files_since{9, 2, 0};
  if (name == "pyproject.toml" || version < custom_files_since) {
    return values;
  }
  if (!values) {
    return pytest_table_of(document, file, version);
  }
  if (document.contains("pytest")) {
    fail("[pytest] and [tool.pytest] cannot be used together", file.string());
  }
  return values;
}

} // namespace

const std::vector<std::string>& configuration_names(const PytestVersion& version) {
  static const std::vector<std::string> since_9{"pytest.toml", ".pytest.toml",   "pytest.ini",
                                                ".pytest.ini", "pyproject.toml", "tox.ini",
                                                "setup.cfg"};
  static const std::vector<std::string> before_9(since_9.begin() + 2, since_9.end());
  return version >= native_toml_since ? since_9 : before_9;
}

std::optional<IniValues> load_configuration(const fs::path& file, const PytestVersion& version) {
  const fs::path suffix = file.extension();
  if (suffix == ".ini") {
    return load_ini(file, version);
  }
  if (suffix == ".cfg") {
    return load_cfg(file);
  }
  if (suffix == ".toml") {
    return load_toml_configuration(file, version);
  }
  return std::nullopt;
}

} // namespace testmon_precreate::pytest
