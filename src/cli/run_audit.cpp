#include "testmon_precreate/cli/run_audit.hpp"
#include <testmon_precreate/cli/run_report.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_file = 64UL * 1024 * 1024;

std::vector<RunReport> read_reports(const fs::path& file) {
  const std::string text = util::read_file(file, largest_file);
  std::vector<RunReport> reports;
  for (const std::string_view line : util::split(text, '\n')) {
    if (!line.empty()) {
      reports.push_back(parse_run_report(line, "the report of the run"));
    }
  }
  return reports;
}

void tell(const RunReport& report, const Terminal& terminal) {
  if (!report.why_all.empty()) {
    terminal.note(fmt::format("audit: selection is off in this run, nothing would have been "
                              "skipped: {}",
                              report.why_all));
  } else {
    terminal.note(fmt::format("audit: {} ran; selection would have skipped {} ({:.1f} s)",
                              util::counted(report.executed, "test"), report.skipped,
                              report.skipped_seconds));
  }
  if (!report.missed.empty()) {
    terminal.warning(fmt::format("audit: selection would have missed {}: {}",
                                 util::counted(report.missed.size(), "failure"),
                                 fmt::join(report.missed, ", ")));
  } else if (report.failed > 0) {
    terminal.note(fmt::format("audit: selection would have run what failed ({})", report.failed));
  }
}

} // namespace

RunAudit::RunAudit() {
  std::string name = (fs::temp_directory_path() / "testmon-precreate-audit-XXXXXX").string();
  const util::FileDescriptor descriptor(::mkstemp(name.data()));
  if (descriptor.get() < 0) {
    util::throw_errno("make a temporary file", name, errno);
  }
  file_ = name;
}

RunAudit::~RunAudit() {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

int RunAudit::conclude(int exit_code, bool is_strict, const Program& program) const {
  const std::vector<RunReport> reports = read_reports(file_);
  if (reports.empty()) {
    const core::ErrorText text{
        .what = "no audit: no run of testmon with the plugin has finished",
        .where = "run --audit",
        .hint = "Is --testmon given, and the plugin active in the interpreter that runs pytest?"};
    if (is_strict) {
      throw core::CoordinationError(text);
    }
    program.terminal.warning(core::CoordinationError(text).what());
  }
  bool has_missed = false;
  for (const RunReport& report : reports) {
    tell(report, program.terminal);
    has_missed = has_missed || !report.missed.empty();
  }
  return is_strict && has_missed ? 1 : exit_code;
}

} // namespace testmon_precreate::cli
