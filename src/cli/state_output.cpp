#include "testmon_precreate/cli/state_output.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace testmon_precreate::cli {

namespace {

using nlohmann::ordered_json;

[[noreturn]] void throw_unknown_field(const std::string& field, const ordered_json& state) {
  std::string known;
  for (const auto& [name, value] : state.items()) {
    known.append(known.empty() ? "" : ", ").append(name);
  }
  throw core::UsageError({.what = fmt::format("a state has no field '{}'", field),
                          .where = "--get",
                          .hint = "Fields are " + known});
}

} // namespace

std::vector<std::pair<std::string, std::string>>
state_variables(const coordination::CoordinationState& state,
                const std::filesystem::path& state_path) {
  return {{"TESTMON_XDIST_ENVIRONMENT_ID", std::to_string(state.environment_id)},
          {"TESTMON_XDIST_ENVIRONMENT_NAME", state.environment_name},
          {"TESTMON_XDIST_DATABASE_PATH", state.database_path},
          {"TESTMON_XDIST_DATA_VERSION", std::to_string(state.data_version)},
          {"TESTMON_XDIST_PYTHON_VERSION", state.python_version},
          {"TESTMON_XDIST_ROOTDIR", state.rootdir},
          {"TESTMON_XDIST_RUN_UID", state.run_uid.value_or("")},
          {"TESTMON_XDIST_STATE", state_path.string()}};
}

std::size_t package_count(const std::string& packages) {
  return packages.empty() ? 0 : util::split(packages, ',').size();
}

std::string shell_exports(const coordination::CoordinationState& state,
                          const std::filesystem::path& state_path) {
  std::string lines;
  for (const auto& [name, value] : state_variables(state, state_path)) {
    lines += fmt::format("export {}={}\n", name, util::shell_quote(value));
  }
  return lines;
}

std::string state_field(const coordination::CoordinationState& state, const std::string& field) {
  const ordered_json whole = coordination::to_json_value(state);
  const ordered_json* value = &whole;
  for (const std::string_view part : util::split(field, '.')) {
    const auto found = value->is_object() ? value->find(std::string(part)) : value->end();
    if (!value->is_object() || found == value->end()) {
      throw_unknown_field(field, whole);
    }
    value = &*found;
  }
  if (value->is_string()) {
    return core::from_json_string(value->get_ref<const std::string&>());
  }
  return value->is_null() ? "" : value->dump();
}

} // namespace testmon_precreate::cli
