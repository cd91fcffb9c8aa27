#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace testmon_precreate::python {

// Code points from `first` to `last`, which belong to a class since Python 3.`since_minor`.
struct CharacterRange {
  std::uint32_t first;
  std::uint32_t last;
  int since_minor; // 0: in every supported version
};

// Sorted, disjoint.
[[nodiscard]] std::span<const CharacterRange> word_characters();
[[nodiscard]] std::span<const CharacterRange> decimal_digits();

} // namespace testmon_precreate::python
