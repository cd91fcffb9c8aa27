// Whatever an acknowledgment holds is either refused with the one error, or an acknowledgment that
// names a file inside the directory and can be written and read again without a change.
#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace coordination = testmon_precreate::coordination;
  const std::string_view text(reinterpret_cast<const char*>(data),
                              size); // NOLINT(*-reinterpret-cast)
  coordination::Acknowledgment acknowledgment;
  try {
    acknowledgment = coordination::parse_acknowledgment(text, "fuzz");
  } catch (const testmon_precreate::core::InvalidCoordinationState&) {
    return 0;
  }
  const std::string name = coordination::acknowledgment_name(acknowledgment.worker_id);
  const std::string written = coordination::to_json(acknowledgment);
  if (name.find('/') != std::string::npos ||
      coordination::to_json(coordination::parse_acknowledgment(written, "fuzz")) != written) {
    std::abort();
  }
  return 0;
}
