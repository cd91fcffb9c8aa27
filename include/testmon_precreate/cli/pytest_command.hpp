#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::cli {

// The pytest call inside a command line.
struct PytestCommand {
  std::vector<std::string> arguments;     // those after the word `pytest`
  bool is_module = false;                 // `-m pytest`
  std::optional<std::string> interpreter; // that runs it, as far as the words tell
};

// Finds `pytest …`, `DIRECTORY/pytest …`, `python -m pytest …` and the same after other words
// (`coverage run -m pytest …`, `env NAME=VALUE pytest …`, `uv run pytest …`). Nothing if the
// words do not show it, as in `make test` or in the script of `sh -c`.
[[nodiscard]] std::optional<PytestCommand>
find_pytest_command(std::span<const std::string> command);

// `words` if they start with `python … -m pytest` or `pytest`, and are not arguments of pytest:
// a file or directory of that name in the working directory is one.
[[nodiscard]] std::optional<PytestCommand> find_leading_command(std::span<const std::string> words);

} // namespace testmon_precreate::cli
