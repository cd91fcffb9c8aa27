#include "testmon_precreate/cli/common_options.hpp"
#include <testmon_precreate/util/files.hpp>

namespace testmon_precreate::cli {

void add_keep_option(CLI::App& command, std::size_t& keep, const std::string& help) {
  constexpr int most_kept = 1'000'000;
  command.add_option("--keep-environments", keep, help)
      ->capture_default_str()
      ->check(CLI::Range(0, most_kept))
      ->type_name("N");
}

std::string read_file_or_stdin(const std::string& file, std::size_t limit) {
  return util::read_file(file == "-" ? "/dev/stdin" : file, limit);
}

} // namespace testmon_precreate::cli
