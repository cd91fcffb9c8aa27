#include "testmon_precreate/datafile/merge.hpp"

#include "merge_environment.hpp"
#include "merge_inputs.hpp"
#include "merge_metadata.hpp"
#include "merge_rows.hpp"
#include "merge_target.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <future>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view unfinished_infix = ".merging-"; // then the process

// What merges into a new file have left that were killed.
void remove_unfinished(const fs::path& target) {
  const std::string prefix = target.filename().string() += unfinished_infix;
  std::error_code error;
  for (fs::directory_iterator entry(target.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    if (name.starts_with(prefix)) {
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
    }
    std::error_code ignored;
    if (pid > 0 && (pid == ::getpid() || !util::process_start_ticks(pid))) {
      fs::remove(entry->path(), ignored);
    }
  }
}

void sync(const fs::path& path) {
  const util::FileDescriptor file = util::open_file(path, O_RDONLY);
  if (::fsync(file.get()) != 0) {
    util::throw_errno("sync", path, errno);
  }
}

// The target's tests and all that works on them.
struct TargetTests {
  TargetTests(SQLite::Database& of, const OwnDistributions& own)
      : database(of)
      , rows(of, own)
      , source(of, {})
      , writer(of) {}

  SQLite::Database& database;
  TargetRows rows;
  MergeSource source;
  MergeTarget writer;
};

std::size_t count_tests(SQLite::Database& database) {
  const auto count = database.execAndGet("SELECT count(*) FROM test_execution").getInt64();
  return static_cast<std::size_t>(count);
}

class Merge {
public:
  explicit Merge(const MergeRequest& request)
      : request_(request)
      , target_(resolve_links(request.target)) {
    std::set<fs::path> known;
    for (const fs::path& input : request.inputs) {
      if (known.insert(fs::weakly_canonical(input)).second) {
        report_.inputs.push_back(
            {.file = input, .problem = {}, .tests = 0, .added = 0, .newer = 0});
      }
    }
  }

  MergeReport run() {
    while (!try_to_merge()) {
    }
    return std::move(report_);
  }

private:
  // Returns false if an input proved bad that can be left out.
  bool try_to_merge() {
    const Inspection seen = inspect(target_);
    require_sound(seen, target_);
    try {
      open_inputs();
      if (!request_.dry_run && seen.kind == FileKind::absent) {
        return create();
      }
      request_.dry_run ? look(seen) : change(seen);
      return true;
    } catch (const BadInput& bad) {
      note(bad);
      refuse_problems();
      return false;
    }
  }

  // --- Inputs ---

  void open_inputs() {
    files_.clear();
    inputs_.clear();
    copied_.reset();
    for (MergedInput& input : report_.inputs) {
      input.tests = input.added = input.newer = 0;
      if (input.problem.empty()) {
        try {
          require(problem_of_path(input.file, target_), input.file);
          files_.push_back(std::make_unique<OpenFile>(input.file, request_.busy_timeout));
          inputs_.push_back(&input);
        } catch (const BadInput& bad) {
          note(bad);
        }
      }
    }
    refuse_problems();
    refuse_other_projects();
    open_base();
    limit_memory();
  }

  void note(const BadInput& bad) {
    const auto found =
        std::find_if(report_.inputs.begin(), report_.inputs.end(),
                     [&bad](const MergedInput& input) { return input.file == bad.file(); });
    if (found == report_.inputs.end()) {
      throw core::DatabaseError({fmt::format("the base {}", bad.what()), bad.file().string(), ""});
    }
    found->problem = bad.what();
  }

  void refuse_problems() const {
    std::vector<std::string> problems;
    for (const MergedInput& input : report_.inputs) {
      if (!input.problem.empty()) {
        problems.push_back(fmt::format("{} {}", input.file.string(), input.problem));
      }
    }
    if (problems.size() == report_.inputs.size() ||
        (!problems.empty() && !request_.skip_bad_inputs)) {
      throw core::DatabaseError(
          {fmt::format("{} of {} files cannot be merged: {}", problems.size(),
                       report_.inputs.size(), fmt::join(problems, "; ")),
           target_.string(),
           problems.size() == report_.inputs.size() ? "" : "--skip-damaged goes on without them"});
    }
  }

  // Told only if the disk has the files of others: not in a job without a checkout.
  void refuse_other_projects() {
    if (!request_.disk || request_.accept_other_project) {
      return;
    }
    std::vector<std::optional<bool>> found;
    for (const auto& file : files_) {
      found.push_back(is_on_disk(*file, request_.disk));
    }
    if (std::find(found.begin(), found.end(), true) == found.end()) {
      return;
    }
    const auto other = std::find(found.begin(), found.end(), false);
    if (other != found.end()) {
      throw BadInput(files_[static_cast<std::size_t>(other - found.begin())]->name(),
                     "is another project's: none of the files that its tests depend on is here");
    }
  }

  void open_base() {
    origin_.reset();
    if (request_.origin) {
      origin_.emplace(*request_.origin);
    }
    if (!request_.base) {
      return;
    }
    std::error_code error;
    is_target_base_ = fs::equivalent(*request_.base, target_, error);
    if (!is_target_base_) {
      require(problem_of_path(*request_.base, target_), *request_.base);
      files_.push_back(std::make_unique<OpenFile>(*request_.base, request_.busy_timeout));
    }
  }

  void limit_memory() {
    constexpr std::size_t for_all = 16UL * 1024;
    constexpr std::size_t most = 2UL * 1024;
    constexpr std::size_t least = 256;
    for (const auto& file : files_) {
      file->limit_memory(std::clamp(for_all / files_.size(), least, most));
    }
  }

  // --- The target ---

  void look(const Inspection& seen) {
    if (seen.kind == FileKind::database) {
      SQLite::Database database = open_for_reading(target_, seen, request_.busy_timeout);
      merge_into(&database);
    } else {
      merge_into(nullptr);
    }
  }

  void change(const Inspection& seen) {
    in_transaction(target_, seen, request_.busy_timeout, [this](SQLite::Database& database) {
      merge_into(&database);
      return true;
    });
  }

  // A new file begins as a copy of the input that gives it most. Returns false if another
  // process has made the file meanwhile.
  bool create() {
    remove_unfinished(target_);
    util::UnfinishedFile file(fs::path(target_) +=
                              fmt::format("{}{}", unfinished_infix, ::getpid()));
    start_with_largest_input(file.path());
    {
      SQLite::Database database = open_for_writing(file.path(), request_.busy_timeout);
      // A part of it is never used: neither a journal nor a sync is of any use to it.
      database.exec("PRAGMA journal_mode = OFF");
      database.exec("PRAGMA synchronous = OFF");
      SQLite::Transaction transaction(database);
      merge_into(&database);
      transaction.commit();
      database.exec("PRAGMA journal_mode = WAL");
    }
    report_.created = true;
    sync(file.path());
    return file.rename_to_new(target_);
  }

  void start_with_largest_input(const fs::path& copy) {
    const auto size_of = [this](std::size_t input) {
      SQLite::Database& database = files_[input]->database();
      return std::pair(files_[input]->data_version(),
                       database.execAndGet("PRAGMA page_count").getInt64());
    };
    std::size_t largest = 0;
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      largest = size_of(i) > size_of(largest) ? i : largest;
    }
    files_[largest]->copy_to(copy);
    copied_ = largest;
  }

  // `target` is null in a dry run without one.
  void merge_into(SQLite::Database* target) {
    std::future<void> check = check_in_background(files_, request_.busy_timeout);
    try {
      prepare_target(target);
      merge_tests(report_.created && request_.dry_run ? nullptr : target);
      if (!request_.dry_run) {
        merge_metadata(*target);
      }
    } catch (const SQLite::Exception&) {
      if (copied_) {
        check.get(); // a copy is as damaged as the input is
      }
      throw;
    }
    check.get();
    close_unchanged(files_);
  }

  void prepare_target(SQLite::Database* target) {
    report_.data_version = target == nullptr ? 0 : read_data_version(*target);
    report_.created = target == nullptr ||
                      (report_.data_version == 0 &&
                       target->execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0);
    if (!report_.created) {
      require_known_version(report_.data_version, target_);
      return;
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      report_.data_version = std::max(report_.data_version, files_[i]->data_version());
    }
    if (target != nullptr && !request_.dry_run) {
      create_schema(*target, report_.data_version);
    }
  }

  void merge_tests(SQLite::Database* target) {
    const OwnDistributions own = find_own_distributions(target);
    FileRows rows;
    marks_.clear();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      reading(files_[i]->name(), [&] {
        add_rows(files_[i]->database(), i, own, rows);
        marks_.push_back(read_shard_mark(files_[i]->database()));
      });
    }
    FileRows base_rows;
    if (files_.size() > inputs_.size()) {
      OpenFile& base = *files_.back();
      reading(base.name(), [&] { add_rows(base.database(), inputs_.size(), own, base_rows); });
    }
    std::optional<TargetTests> tests;
    MergeWork work{.disk = request_.disk,
                   .origin = origin_ ? &*origin_ : nullptr,
                   .target = nullptr,
                   .dropped = 0,
                   .count_test = counter_of_progress()};
    if (target != nullptr) {
      tests.emplace(*target, own);
      work.target = request_.dry_run ? nullptr : &tests->writer;
      report_.tests = copied_ ? 0 : count_tests(*target);
    }
    if (is_target_base_ && work.target != nullptr) {
      tests->rows.park_outdated(rows);
    }
    // From the last one on: the newest Python of a name is the one that may be visible.
    // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile libstdc++'s views::reverse
    for (auto entry = rows.rbegin(); entry != rows.rend(); ++entry) {
      merge_environment(entry->first, entry->second, base_rows, tests ? &*tests : nullptr, work);
    }
    if (work.target != nullptr) {
      work.target->finish();
    }
    finish_report(work.dropped);
  }

  OwnDistributions find_own_distributions(SQLite::Database* target) const {
    OwnDistributions own;
    for (const auto& file : files_) {
      reading(file->name(), [&] { add_own_distributions(file->database(), own); });
    }
    if (target != nullptr) {
      add_own_distributions(*target, own);
    }
    return own;
  }

  void merge_environment(const Environment& environment, const std::vector<FileRow>& rows,
                         const FileRows& base_rows, TargetTests* target, MergeWork& work) {
    std::optional<std::int64_t> row =
        target == nullptr ? std::nullopt : target->rows.find(environment);
    std::vector<Reader> readers;
    if (row) {
      readers.push_back(
          {.tests = TestStream(target->database, {}, *row),
           .source = &target->source,
           .number = 0,
           .input = copied_ ? inputs_[*copied_] : nullptr,
           .is_target = true,
           .dropped = copied_ ? dropped_by_others(*copied_, rows) : ShardMark::Tests()});
    }
    if (work.target != nullptr) {
      if (copied_ || is_target_base_) {
        target->rows.take_text_of(environment); // the inputs' one, in whatever order they come
      }
      row = target->rows.make_ready(environment, rows);
      if (!row) {
        return;
      }
    }
    for (const FileRow& each : rows) {
      if (each.file == copied_) {
        continue; // the target's reader reads it
      }
      OpenFile& file = *files_[each.file];
      readers.push_back({.tests = TestStream(file.database(), file.name(), each.id),
                         .source = &file.source(),
                         .number = each.file,
                         .input = inputs_[each.file],
                         .is_target = false,
                         .dropped = dropped_by_others(each.file, rows)});
    }
    EnvironmentMerge merge(work, row.value_or(0), std::move(readers));
    const auto base = base_rows.find(environment);
    if (is_target_base_) {
      merge.set_target_as_base();
    } else if (base != base_rows.end()) {
      OpenFile& file = *files_.back();
      merge.set_base(TestStream(file.database(), file.name(), base->second.front().id));
    }
    merge.run();
  }

  // The tests of an environment that other shards of a file's plan have dropped.
  [[nodiscard]] ShardMark::Tests dropped_by_others(std::size_t file,
                                                   const std::vector<FileRow>& rows) const {
    ShardMark::Tests tests;
    for (const FileRow& row : rows) {
      if (row.file == file || !marks_[file] || !marks_[row.file] ||
          marks_[row.file]->plan != marks_[file]->plan) {
        continue;
      }
      const auto dropped = marks_[row.file]->dropped.find(row.id);
      if (dropped != marks_[row.file]->dropped.end()) {
        tests.insert(dropped->second.begin(), dropped->second.end());
      }
    }
    return tests;
  }

  // Reports at once and then now and then.
  std::function<void()> counter_of_progress() {
    if (!request_.progress) {
      return [] {};
    }
    std::size_t all = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      all += reading(files_[i]->name(), [&] { return count_tests(files_[i]->database()); });
    }
    return [this, all, done = std::size_t{0}]() mutable {
      constexpr std::size_t interval = 1024;
      if (++done % interval == 0) {
        request_.progress(done, all);
      }
    };
  }

  void finish_report(std::size_t dropped) {
    report_.dropped = dropped;
    report_.tests -= dropped;
    for (const MergedInput* input : inputs_) {
      report_.tests += input->added;
    }
  }

  [[nodiscard]] bool are_shards_of_one_plan() const {
    return std::all_of(marks_.begin(), marks_.end(), [this](const auto& mark) {
      return mark && marks_.front() && mark->plan == marks_.front()->plan;
    });
  }

  void merge_metadata(SQLite::Database& target) {
    std::vector<Metadata> files;
    for (const auto& file : files_) {
      files.push_back(reading(file->name(), [&] { return read_metadata(file->database()); }));
    }
    std::optional<Metadata> base;
    if (origin_) {
      base = origin_->metadata();
    } else if (files.size() > inputs_.size()) {
      base = std::move(files.back());
      files.pop_back();
    }
    if (is_target_base_) {
      base = read_metadata(target);
    } else if (!copied_) {
      files.push_back(read_metadata(target));
    }
    if (!base && are_shards_of_one_plan()) {
      base = marks_.front()->before;
    }
    remove_shard_mark(target);
    write_metadata(target, combine_metadata(files, base ? &*base : nullptr));
  }

  const MergeRequest& request_;
  fs::path target_;
  MergeReport report_;
  std::vector<std::unique_ptr<OpenFile>> files_; // the inputs, then the base
  std::vector<MergedInput*> inputs_;             // those of them, in the same order
  std::vector<std::optional<ShardMark>> marks_;  // of the inputs
  bool is_target_base_ = false;
  std::optional<Origin> origin_;
  std::optional<std::size_t> copied_; // the input that the target is a copy of
};

} // namespace

MergeReport merge(const MergeRequest& request) {
  return translating_errors(request.target, [&request] { return Merge(request).run(); });
}

} // namespace testmon_precreate::datafile
