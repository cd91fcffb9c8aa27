#include "testmon_precreate/selection/comparison.hpp"

#include <algorithm>
#include <optional>

namespace testmon_precreate::selection {

namespace {

// Judges the contents of one file after another.
class Judge {
public:
  Judge(WorkingTree& tree, const GitIndex& git_index)
      : tree_(tree)
      , git_index_(git_index) {}

  void judge(std::span<const RecordedContent> contents, std::span<Verdict> verdicts) {
    const std::string_view filename = contents.front().filename;
    const ContentHashes* const hashes = tree_.look_at(filename);
    for (std::size_t i = 0; i < contents.size(); ++i) {
      verdicts[i] =
          hashes != nullptr && hashes->match(contents[i].fsha) ? Verdict::current : Verdict::stale;
    }
    if (hashes == nullptr || (hashes->one_reading && filename.ends_with(".py"))) {
      return; // the same content gives the same blocks, whatever testmon takes for its hash
    }
    const auto is_current = [](Verdict verdict) { return verdict == Verdict::current; };
    if (!hashes->without_git() && std::any_of(verdicts.begin(), verdicts.end(), is_current)) {
      const std::string fsha = hash_that_testmon_takes(filename, *hashes);
      std::transform(contents.begin(), contents.end(), verdicts.begin(),
                     [&fsha](const RecordedContent& content) {
                       return !fsha.empty() && content.fsha == fsha ? Verdict::current
                                                                    : Verdict::stale;
                     });
    }
    if (!std::all_of(verdicts.begin(), verdicts.end(), is_current)) {
      std::replace(verdicts.begin(), verdicts.end(), Verdict::current, Verdict::stale_with_another);
    }
  }

private:
  std::string hash_that_testmon_takes(std::string_view filename, const ContentHashes& hashes) {
    if (!index_) {
      index_ = git_index_();
    }
    const auto tracked = index_->find(std::string(filename));
    return tracked == index_->end() ? hashes.testmon : tracked->second;
  }

  WorkingTree& tree_;
  const GitIndex& git_index_;
  std::optional<std::unordered_map<std::string, std::string>> index_;
};

} // namespace

std::vector<Verdict> compare_with_disk(std::span<const RecordedContent> contents, WorkingTree& tree,
                                       const GitIndex& git_index) {
  std::vector<Verdict> verdicts(contents.size(), Verdict::current);
  Judge judge(tree, git_index);
  for (std::size_t begin = 0; begin < contents.size();) {
    std::size_t end = begin + 1;
    while (end < contents.size() && contents[end].filename == contents[begin].filename) {
      ++end;
    }
    judge.judge(contents.subspan(begin, end - begin),
                std::span(verdicts).subspan(begin, end - begin));
    begin = end;
  }
  return verdicts;
}

} // namespace testmon_precreate::selection
