// Whatever a state file holds is either refused with the one error, or a state that can be written
// and read again without a change.
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace coordination = testmon_precreate::coordination;
  const std::string_view text(reinterpret_cast<const char*>(data),
                              size); // NOLINT(*-reinterpret-cast)
  coordination::CoordinationState state;
  try {
    state = coordination::parse_state(text, "fuzz");
  } catch (const testmon_precreate::core::InvalidCoordinationState&) {
    return 0;
  }
  const std::string written = coordination::to_json(state);
  if (coordination::to_json(coordination::parse_state(written, "fuzz")) != written) {
    std::abort();
  }
  return 0;
}
