#include "testmon_precreate/coordination/waiter.hpp"
#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace testmon_precreate::coordination {

namespace {

// One wait for a state: what the last look saw, and what follows from it.
class StateWait {
public:
  StateWait(const CoordinationDirectory& directory, const std::optional<std::string>& run_uid,
            const WaitPolicy& policy)
      : directory_(&directory)
      , run_uid_(&run_uid)
      , max_age_(policy.max_age)
      , pauses_(directory.path(), policy) {}

  WaitResult run(const Accept& accept) {
    while (true) {
      if (look() && (!accept || accept(result_))) {
        return std::move(result_);
      }
      if (!pauses_.wait(next_look_at_invalid())) {
        give_up();
      }
    }
  }

private:
  // A file that could not be read, and until when it may be replaced.
  struct Invalid {
    util::FileStamp file;
    Pauses::Clock::time_point until;
    core::InvalidCoordinationState error;
  };

  bool look() {
    ++result_.looks;
    // The first look reports a directory that is not to be trusted; the others are cheap.
    if (result_.looks > 1 && !directory_->may_have_state()) {
      invalid_.reset();
      last_.reset();
      return false;
    }
    std::optional<CoordinationState> state;
    util::FileStamp stamp;
    try {
      state = directory_->read_state(&stamp);
    } catch (const core::InvalidCoordinationState& error) {
      note_invalid(stamp, error);
      return false;
    }
    invalid_.reset();
    last_.reset();
    if (!state) {
      return false;
    }
    last_ = judge(*state, *run_uid_, max_age_);
    result_.state = std::move(*state);
    result_.file = stamp;
    result_.waited = pauses_.elapsed();
    return last_->usable();
  }

  void note_invalid(const util::FileStamp& file, const core::InvalidCoordinationState& error) {
    const auto now = Pauses::Clock::now();
    if (invalid_ && invalid_->file == file && now >= invalid_->until) {
      throw invalid_->error;
    }
    if (!invalid_ || invalid_->file != file) {
      invalid_.emplace(
          Invalid{.file = file, .until = now + std::chrono::seconds(1), .error = error});
    }
  }

  // Soon: no event tells when a writer that fills the file in place has finished.
  [[nodiscard]] std::optional<Pauses::Clock::time_point> next_look_at_invalid() const {
    constexpr std::chrono::milliseconds interval{20};
    return invalid_ ? std::optional(std::min(invalid_->until, Pauses::Clock::now() + interval))
                    : std::nullopt;
  }

  [[noreturn]] void give_up() const {
    if (invalid_) {
      throw invalid_->error;
    }
    const std::string where = directory_->state_path().string();
    const std::string waited = fmt::format("within {:.1f} s", pauses_.elapsed().count());
    if (!last_) {
      throw core::CoordinationTimeout(
          {.what = "no state file appeared " + waited,
           .where = where,
           .hint = "Has `testmon-precreate prepare` run for this rootdir?"});
    }
    core::ErrorText text{
        .what = fmt::format("no usable state {}; there is {}", waited,
                            last_->usable() ? "one that is being replaced" : last_->explanation),
        .where = where,
        .hint = "Run `testmon-precreate prepare` again"};
    if (last_->standing == Standing::controller_gone) {
      throw core::ControllerNotReady(text);
    }
    throw core::CoordinationTimeout(text);
  }

  const CoordinationDirectory* directory_;
  const std::optional<std::string>* run_uid_;
  util::Seconds max_age_;
  Pauses pauses_;
  WaitResult result_;
  std::optional<Judgement> last_;
  std::optional<Invalid> invalid_;
};

std::vector<std::string> ids_of(const std::vector<Acknowledgment>& acknowledgments) {
  std::vector<std::string> ids;
  ids.reserve(acknowledgments.size());
  for (const Acknowledgment& acknowledgment : acknowledgments) {
    ids.push_back(acknowledgment.worker_id);
  }
  return ids;
}

} // namespace

WaitResult wait_for_state(const CoordinationDirectory& directory,
                          const std::optional<std::string>& run_uid, const WaitPolicy& policy,
                          const Accept& accept) {
  return StateWait(directory, run_uid, policy).run(accept);
}

std::vector<Acknowledgment> acknowledgments_of_run(const CoordinationDirectory& directory,
                                                   const std::optional<std::string>& run_uid) {
  std::vector<Acknowledgment> acknowledgments = directory.read_acknowledgments();
  if (run_uid) {
    std::erase_if(acknowledgments,
                  [&](const Acknowledgment& found) { return found.run_uid != run_uid; });
  }
  return acknowledgments;
}

std::vector<std::string> missing_workers(const std::vector<Acknowledgment>& acknowledgments,
                                         int count) {
  const std::vector<std::string> present = ids_of(acknowledgments);
  std::vector<std::string> missing;
  for (int number = 0; number < count; ++number) {
    std::string id = fmt::format("gw{}", number);
    if (std::find(present.begin(), present.end(), id) == present.end()) {
      missing.push_back(std::move(id));
    }
  }
  return missing;
}

std::vector<Acknowledgment> wait_for_acknowledgments(const CoordinationDirectory& directory,
                                                     const std::optional<std::string>& run_uid,
                                                     int count, const WaitPolicy& policy) {
  Pauses pauses(directory.path(), policy);
  while (true) {
    std::vector<Acknowledgment> found = acknowledgments_of_run(directory, run_uid);
    if (std::cmp_greater_equal(found.size(), count)) {
      return found;
    }
    if (pauses.wait()) {
      continue;
    }
    throw core::WorkerNotReady(
        {.what = fmt::format(
             "{} of {} workers acknowledged within {:.1f} s; missing: {}{}", found.size(), count,
             pauses.elapsed().count(), fmt::join(missing_workers(found, count), ", "),
             found.empty() ? "" : fmt::format("; there: {}", fmt::join(ids_of(found), ", "))),
         .where = directory.path().string(),
         .hint = "See `testmon-precreate status`"});
  }
}

} // namespace testmon_precreate::coordination
