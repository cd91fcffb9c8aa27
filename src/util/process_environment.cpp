#include "testmon_precreate/util/process_environment.hpp"

#include <string_view>
#include <utility>

#include <unistd.h>

namespace testmon_precreate::util {

ProcessEnvironment ProcessEnvironment::current() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      // The first of two equal names wins, as with getenv(3).
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return ProcessEnvironment(std::move(variables));
}

std::optional<std::string> ProcessEnvironment::get(const std::string& name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) {
    return std::nullopt;
  }
  return found->second;
}

void ProcessEnvironment::set(const std::string& name, std::string value) {
  variables_.insert_or_assign(name, std::move(value));
}

} // namespace testmon_precreate::util
