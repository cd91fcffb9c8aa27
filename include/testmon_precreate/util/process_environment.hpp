#pragma once

#include <map>
#include <optional>
#include <string>

namespace testmon_precreate::util {

// The environment variables of a process, as a value: what is read can be given in a test.
class ProcessEnvironment {
public:
  ProcessEnvironment() = default;

  explicit ProcessEnvironment(std::map<std::string, std::string> variables)
      : variables_(std::move(variables)) {}

  // A copy of this process's environment.
  [[nodiscard]] static ProcessEnvironment current();

  // The value of `name`; nothing if it is not set.
  [[nodiscard]] std::optional<std::string> get(const std::string& name) const;

  // Adds `name`, or replaces its value.
  void set(const std::string& name, std::string value);

  [[nodiscard]] const std::map<std::string, std::string>& variables() const { return variables_; }

private:
  std::map<std::string, std::string> variables_;
};

} // namespace testmon_precreate::util
