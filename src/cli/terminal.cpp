#include "testmon_precreate/cli/terminal.hpp"

#include <iostream>

#include <unistd.h>

namespace testmon_precreate::cli {

Terminal Terminal::of_process(std::string program, const util::ProcessEnvironment& environment) {
  const bool wanted = environment.get("NO_COLOR").value_or("").empty();
  const bool colour = wanted && ::isatty(STDERR_FILENO) == 1;
  return {std::move(program), std::cout, std::cerr, colour};
}

void Terminal::error(std::string_view text) const { say("error: ", "\033[1;31m", text); }

void Terminal::warning(std::string_view text) const { say("warning: ", "\033[1;33m", text); }

void Terminal::note(std::string_view text) const { say("", "", text); }

void Terminal::say(std::string_view kind, std::string_view colour, std::string_view text) const {
  // One write, so that the lines of concurrent workers do not mix.
  std::string line = program_ + ": ";
  if (colour_ && !kind.empty()) {
    line.append(colour).append(kind).append("\033[0m");
  } else {
    line.append(kind);
  }
  line.append(text).append("\n");
  *err_ << line << std::flush;
}

} // namespace testmon_precreate::cli
