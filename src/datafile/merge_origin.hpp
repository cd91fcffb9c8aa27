#pragma once

#include "merge_choice.hpp"
#include "merge_metadata.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <tuple>
#include <vector>

namespace testmon_precreate::datafile {

// What note_origin (snapshot.hpp) has written down.
class Origin {
public:
  // Throws BadInput.
  explicit Origin(const std::filesystem::path& file);

  // Whether this execution was there, under the same id.
  [[nodiscard]] bool has(const Execution& execution) const;

  [[nodiscard]] const Metadata& metadata() const { return metadata_; }

private:
  using Recorded = std::tuple<std::int64_t, std::optional<double>, bool>;

  std::vector<Recorded> executions_; // sorted
  Metadata metadata_;
};

} // namespace testmon_precreate::datafile
