#pragma once

#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/util/text.hpp>

#include <string>
#include <utility>
#include <vector>

namespace testmon_precreate {

constexpr const char* switch_variable = "TESTMON_XDIST_CONTROLLER_PRECREATION";
constexpr const char* switch_on =
    "export TESTMON_XDIST_CONTROLLER_PRECREATION=true, or use `testmon-precreate run -- pytest "
    "--testmon`";

// Whether a variable says yes. What is neither yes nor no is no error here.
[[nodiscard]] inline bool is_on(const std::string& value) {
  const std::string text = util::to_lower(util::strip(value));
  return text == "1" || text == "true" || text == "yes" || text == "on";
}

// Collects findings in the order in which they are made.
class Findings {
public:
  // Selection cannot work.
  void problem(const char* id, std::string what, std::string where, std::string cure) {
    add({id, true, std::move(what), std::move(where), std::move(cure)});
  }

  // Something that may cost time or data.
  void note(const char* id, std::string what, std::string where, std::string cure) {
    add({id, false, std::move(what), std::move(where), std::move(cure)});
  }

  void add(Finding finding) { all_.push_back(std::move(finding)); }

  [[nodiscard]] std::vector<Finding> take() { return std::move(all_); }

private:
  std::vector<Finding> all_;
};

} // namespace testmon_precreate
