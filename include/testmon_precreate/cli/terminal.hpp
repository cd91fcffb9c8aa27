#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <ostream>
#include <string>
#include <string_view>

namespace testmon_precreate::cli {

// What a command prints: results go to `out`, everything else to standard error, as
// `PROGRAM: warning: TEXT`. Colour only if that is a terminal and NO_COLOR is not set
// (https://no-color.org).
class Terminal {
public:
  Terminal(std::string program, std::ostream& out, std::ostream& err, bool colour)
      : program_(std::move(program))
      , out_(&out)
      , err_(&err)
      , colour_(colour) {}

  // The terminal of this process: standard output and standard error.
  [[nodiscard]] static Terminal of_process(std::string program,
                                           const util::ProcessEnvironment& environment);

  [[nodiscard]] const std::string& program() const noexcept { return program_; }

  // The stream for results.
  [[nodiscard]] std::ostream& out() const noexcept { return *out_; }

  // The stream for everything else.
  [[nodiscard]] std::ostream& err() const noexcept { return *err_; }

  void error(std::string_view text) const;
  void warning(std::string_view text) const;
  void note(std::string_view text) const;

private:
  void say(std::string_view kind, std::string_view colour, std::string_view text) const;

  std::string program_;
  std::ostream* out_;
  std::ostream* err_;
  bool colour_;
};

} // namespace testmon_precreate::cli
