#include "testmon_precreate/datafile_choice.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/current_tree.hpp>
#include <testmon_precreate/datafile/merge.hpp>

#include <fmt/format.h>

#include <tuple>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

std::optional<Surroundings> try_to_look_around(const AffectedRequest& request, const Warn& warn) {
  try {
    return find_surroundings(request);
  } catch (const core::EnvironmentProbeError& error) {
    warn(fmt::format("{} – the newest environment of each data file is taken to match",
                     error.what()));
    return std::nullopt;
  }
}

DatafileFit judge(AffectedRequest request, const pytest::Project& project,
                  const Surroundings* surroundings, const fs::path& file) {
  request.since_file = fs::absolute(file);
  AffectedQuery query = make_affected_query(request, project, {});
  const auto newest = query.choose_environment;
  DatafileFit fit{.file = file};
  if (surroundings != nullptr) {
    make_exact(query, request, *surroundings);
    query.find_blocks = nullptr; // whole files will do
  }
  Affected affected = find_affected(query);
  fit.environment_matches = affected.environment.has_value();
  if (!fit.environment_matches && surroundings != nullptr) {
    query.choose_environment = newest;
    affected = find_affected(query);
  }
  fit.tests = affected.recorded_tests;
  fit.unaffected = affected.recorded_tests - affected.tests.size() - affected.gone_tests.size();
  return fit;
}

auto rank(const DatafileFit& fit) { return std::tuple(fit.environment_matches, fit.unaffected); }

} // namespace

std::optional<DatafileFit> find_best_datafile(const AffectedRequest& request,
                                              std::span<const fs::path> files, const Warn& warn) {
  const std::optional<Surroundings> surroundings = try_to_look_around(request, warn);
  const pytest::Project project = surroundings ? surroundings->project : find_project(request);
  std::optional<DatafileFit> best;
  for (const fs::path& file : files) {
    std::error_code error;
    if (!fs::exists(file, error)) {
      continue;
    }
    try {
      const DatafileFit fit =
          judge(request, project, surroundings ? &*surroundings : nullptr, file);
      if (!best || rank(fit) > rank(*best)) {
        best = fit;
      }
    } catch (const core::DatabaseError& damage) {
      warn(damage.what());
    }
  }
  return best;
}

void take_over(std::span<const fs::path> sources, const fs::path& target, const fs::path& rootdir,
               const util::ProcessEnvironment& environment) {
  datafile::MergeRequest request;
  request.inputs.assign(sources.begin(), sources.end());
  request.target = target;
  request.disk = compare_with_tree(rootdir, environment);
  request.accept_other_project = true;
  static_cast<void>(datafile::merge(request));
}

} // namespace testmon_precreate
