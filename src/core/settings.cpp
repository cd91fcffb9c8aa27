#include "testmon_precreate/core/settings.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace testmon_precreate::core {

namespace {

// Reads `text` whole as a number in [minimum, 1e9]; `open` leaves `minimum` itself out.
double parse_number(std::string_view text, std::string_view source, double minimum, bool open) {
  constexpr double maximum = 1e9;
  const auto number = util::parse_number<double>(util::strip(text));
  const bool in_range = number && std::isfinite(*number) && *number <= maximum &&
                        (open ? *number > minimum : *number >= minimum);
  if (!in_range) {
    throw UsageError({.what = fmt::format("'{}' is not a number {} {}", text,
                                          open ? "above" : "of at least", minimum),
                      .where = std::string(source),
                      .hint = "Give a decimal number such as 0.5 or 30"});
  }
  return *number;
}

class VariableReader {
public:
  explicit VariableReader(const util::ProcessEnvironment& environment)
      : environment_(&environment) {}

  [[nodiscard]] std::optional<std::string> text(const char* name) const {
    std::optional<std::string> value = environment_->get(name);
    return value && value->empty() ? std::nullopt : value;
  }

  void boolean(const char* name, bool& target) const {
    if (const auto value = text(name)) {
      target = parse_boolean(*value, name);
    }
  }

  void number(const char* name, double& target, double minimum, bool open) const {
    if (const auto value = text(name)) {
      target = parse_number(*value, name, minimum, open);
    }
  }

  void seconds(const char* name, util::Seconds& target, bool open = false) const {
    double count = target.count();
    number(name, count, 0, open);
    target = util::Seconds(count);
  }

private:
  const util::ProcessEnvironment* environment_;
};

constexpr const char* shard_variable = "TESTMON_XDIST_SHARD";

bool read_fixed_workers(const std::optional<std::string>& text) {
  const std::string word = util::to_lower(util::strip(text.value_or("adapt")));
  if (word != "fixed" && word != "adapt") {
    throw UsageError({.what = fmt::format("'{}' is no way to choose the number of workers", *text),
                      .where = "TESTMON_XDIST_WORKERS",
                      .hint = "Use adapt or fixed"});
  }
  return word == "fixed";
}

constexpr const char* default_datafile = ".testmondata";

} // namespace

std::filesystem::path Settings::datafile_path() const {
  return datafile.value_or(default_datafile);
}

std::filesystem::path Settings::directory_path() const {
  if (directory) {
    return *directory;
  }
  const std::filesystem::path file = datafile_path();
  const std::string name = file.filename() == default_datafile
                               ? ".testmon_xdist"
                               : ".testmon_xdist-" + file.filename().string();
  return file.parent_path() / name;
}

Settings read_settings(const util::ProcessEnvironment& environment) {
  const VariableReader read(environment);
  Settings settings;
  read.boolean("TESTMON_XDIST_CONTROLLER_PRECREATION", settings.enabled);
  read.boolean("TESTMON_XDIST_DEBUG", settings.debug);
  read.seconds("TESTMON_XDIST_WORKER_TIMEOUT", settings.worker_timeout);
  read.seconds("TESTMON_XDIST_CHECK_INTERVAL", settings.check_interval, true);
  read.number("TESTMON_XDIST_BACKOFF_FACTOR", settings.backoff_factor, 1, true);
  read.seconds("TESTMON_XDIST_MAX_INTERVAL", settings.max_interval, true);
  read.boolean("TESTMON_XDIST_NOTIFICATIONS", settings.notifications);
  read.seconds("TESTMON_XDIST_STATE_MAX_AGE", settings.state_max_age);
  settings.fixed_workers = read_fixed_workers(read.text("TESTMON_XDIST_WORKERS"));
  read.boolean("TESTMON_XDIST_OWN_DISTRIBUTION", settings.own_distribution);
  settings.directory = read.text("TESTMON_XDIST_DIR");
  if (settings.directory && !settings.directory->has_filename() &&
      settings.directory->has_relative_path()) {
    settings.directory = settings.directory->parent_path(); // `name/` would follow a link
  }
  settings.datafile = read.text("TESTMON_DATAFILE");
  if (const auto shard = read.text(shard_variable)) {
    settings.shard = parse_shard(*shard, shard_variable, environment);
  }
  settings.worker_id = read.text("PYTEST_XDIST_WORKER");
  settings.run_uid = read.text("PYTEST_XDIST_TESTRUNUID");
  return settings;
}

bool parse_boolean(std::string_view text, std::string_view source) {
  constexpr std::array yes{"1", "true", "yes", "on"};
  constexpr std::array no{"0", "false", "no", "off"};
  const std::string word = util::to_lower(util::strip(text));
  if (std::find(yes.begin(), yes.end(), word) != yes.end()) {
    return true;
  }
  if (std::find(no.begin(), no.end(), word) != no.end()) {
    return false;
  }
  throw UsageError({.what = fmt::format("'{}' is not a boolean", text),
                    .where = std::string(source),
                    .hint = "Use one of 1, true, yes, on, 0, false, no, off"});
}

util::Seconds parse_seconds(std::string_view text, std::string_view source, double minimum) {
  return util::Seconds(parse_number(text, source, minimum, false));
}

util::Seconds parse_positive_seconds(std::string_view text, std::string_view source) {
  return util::Seconds(parse_number(text, source, 0, true));
}

double parse_backoff_factor(std::string_view text, std::string_view source) {
  return parse_number(text, source, 1, true);
}

void check_worker_id(std::string_view id) {
  constexpr std::size_t longest = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  if (id.empty() || id.size() > longest || id.front() == '.' ||
      !std::all_of(id.begin(), id.end(), allowed)) {
    throw UsageError({.what = fmt::format("'{}' is not a worker id", id.substr(0, longest)),
                      .where = "--worker or PYTEST_XDIST_WORKER",
                      .hint = "Use 1 to 64 of A-Z a-z 0-9 _ . - that do not start with a dot, "
                              "such as gw0"});
  }
}

} // namespace testmon_precreate::core
