#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace testmon_precreate::datafile {

// A row of testmon's table `test_execution`, without what is the same for all that are compared.
struct Execution {
  std::int64_t id = 0;
  std::optional<double> duration; // nothing: a placeholder, not an execution
  bool failed = false;
  std::optional<std::int64_t> forced; // nothing: not executed in its file's last run
};

// See merge.hpp, 1.
[[nodiscard]] bool is_same_execution(const Execution& left, const Execution& right);

// The index of the one to keep, by the rule of merge.hpp; the first of those that are the same.
// `executions` is not empty. `is_of_base` says whether that of an index was executed before; only
// asked if they are not all the same, as is `is_on_disk`, which says whether it matches the disk.
[[nodiscard]] std::size_t choose(std::span<const Execution> executions,
                                 const std::function<bool(std::size_t)>& is_of_base,
                                 const std::function<bool(std::size_t)>& is_on_disk);

} // namespace testmon_precreate::datafile
