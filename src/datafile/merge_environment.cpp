#include "merge_environment.hpp"

#include <algorithm>
#include <utility>

namespace testmon_precreate::datafile {

namespace {

// Whether every file of a test is on the disk as it was when it ran.
bool matches_disk(const Execution& execution, MergeSource& source, const Disk& disk) {
  constexpr int filename = 0;
  constexpr int fsha = 3;
  const std::vector<std::int64_t>& ids = source.fingerprints_of(execution.id);
  return std::all_of(ids.begin(), ids.end(), [&](std::int64_t id) {
    const RawStatement& fingerprint = source.fingerprint(id);
    return !fingerprint.is_null(fsha) &&
           disk(std::string(fingerprint.text(filename)), fingerprint.text(fsha)) == OnDisk::same;
  });
}

} // namespace

EnvironmentMerge::EnvironmentMerge(MergeWork& work, std::int64_t environment,
                                   std::vector<Reader> readers)
    : work_(work)
    , environment_(environment)
    , readers_(std::move(readers)) {}

void EnvironmentMerge::set_base(TestStream base) { base_.emplace(std::move(base)); }

void EnvironmentMerge::set_target_as_base() { target_is_base_ = true; }

void EnvironmentMerge::run() {
  while (collect_next_test()) {
    settle();
  }
}

bool EnvironmentMerge::collect_next_test() {
  const Reader* first = nullptr;
  for (const Reader& reader : readers_) {
    if (!reader.tests.at_end() && (first == nullptr || reader.tests.name() < first->tests.name())) {
      first = &reader;
    }
  }
  if (first == nullptr) {
    return false;
  }
  name_ = first->tests.name();
  executions_.clear();
  owners_.clear();
  for (Reader& reader : readers_) {
    while (!reader.tests.at_end() && reader.tests.name() == name_) {
      collect(reader);
    }
  }
  return true;
}

void EnvironmentMerge::collect(Reader& reader) {
  const Execution execution = reader.tests.execution();
  reader.tests.advance();
  if (!reader.dropped.contains(name_)) {
    executions_.push_back(execution);
    owners_.push_back(&reader);
  } else if (reader.is_target && work_.target != nullptr) {
    work_.target->remove(execution.id);
  }
}

bool EnvironmentMerge::is_targets(std::size_t index) const { return owners_[index]->is_target; }

std::optional<Execution> EnvironmentMerge::find_base() {
  if (target_is_base_) {
    return is_targets(0) ? std::optional(executions_.front()) : std::nullopt;
  }
  while (base_ && !base_->at_end() && base_->name() < name_) {
    base_->advance();
  }
  const bool found = base_ && !base_->at_end() && base_->name() == name_;
  return found ? std::optional(base_->execution()) : std::nullopt;
}

void EnvironmentMerge::settle() {
  if (executions_.empty()) {
    return;
  }
  const std::optional<Execution> base = find_base();
  for (const Reader* owner : owners_) {
    if (owner->input != nullptr) {
      ++owner->input->tests;
      work_.count_test();
    }
  }
  if (owners_.back()->input == nullptr) { // no input knows it
    if (target_is_base_) {
      drop();
    }
    return;
  }
  const auto is_of_base = [&](std::size_t index) {
    return (base && is_same_execution(executions_[index], *base)) ||
           (work_.origin != nullptr && work_.origin->has(executions_[index]));
  };
  keep(choose(executions_, is_of_base, [this](std::size_t index) {
    return work_.disk && matches_disk(executions_[index], *owners_[index]->source, work_.disk);
  }));
}

void EnvironmentMerge::drop() {
  ++work_.dropped;
  for (const Execution& execution : executions_) {
    if (work_.target != nullptr) {
      work_.target->remove(execution.id);
    }
  }
}

void EnvironmentMerge::keep(std::size_t index) {
  const Execution& winner = executions_[index];
  const Reader& owner = *owners_[index];
  if (owner.input != nullptr) {
    const bool was_known = owners_.front()->input == nullptr;
    const bool is_newer = was_known && !is_same_execution(executions_.front(), winner);
    owner.input->added += was_known ? 0 : 1;
    owner.input->newer += is_newer ? 1 : 0;
  }
  if (work_.target == nullptr || is_targets(index)) {
    return;
  }
  if (is_targets(0)) {
    work_.target->replace(executions_.front(), winner, *owner.source, owner.number);
  } else {
    work_.target->insert(environment_, name_, winner, *owner.source, owner.number);
  }
}

} // namespace testmon_precreate::datafile
