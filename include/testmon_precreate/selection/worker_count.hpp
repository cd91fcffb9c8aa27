#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::selection {

// How xdist distributes tests: what stays together is run by one worker.
enum class Grouping {
  test, // load, worksteal; loadgroup too: its marks are not known, and more groups ask for more
  file, // loadfile
  scope // loadscope: a class, or a module's functions
};

// A test that is to run, and what it took when it ran last.
struct TestToRun {
  std::string_view name;                 // as testmon has it
  std::optional<util::Seconds> duration; // nothing: not known
};

// What the number of workers depends on besides the tests.
struct WorkerBounds {
  int asked = 1;
  int least = 0;           // if nothing is to run
  unsigned processors = 1; // that this process may use
  // What it takes until a worker with a processor of its own has collected; nothing: not known.
  std::optional<util::Seconds> start_up{};
};

// How many workers pay off for `tests`, which are all that will run: never more than there are
// groups, or than were asked for; and no worker whose start costs more than the time that it saves.
// If a duration is not known, as many as asked for. Workers beyond the processors share these
// while they start, but not while they run tests, which may wait for something.
[[nodiscard]] int workers_that_pay(std::span<const TestToRun> tests, Grouping grouping,
                                   const WorkerBounds& bounds);

// What `workers` took to start, as WorkerBounds::start_up has it.
[[nodiscard]] util::Seconds start_up_of_one(util::Seconds together, int workers,
                                            unsigned processors);

} // namespace testmon_precreate::selection
