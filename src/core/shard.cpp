#include "testmon_precreate/core/shard.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <array>

namespace testmon_precreate::core {

namespace {

constexpr std::size_t most_shards = 10'000;

// How a CI service tells a job its number.
struct ServiceVariables {
  const char* index;
  const char* count;
  std::size_t first; // what the first job's index is
};

constexpr std::array services{
    ServiceVariables{.index = "CI_NODE_INDEX", .count = "CI_NODE_TOTAL", .first = 1},
    ServiceVariables{.index = "CIRCLE_NODE_INDEX", .count = "CIRCLE_NODE_TOTAL", .first = 0},
    ServiceVariables{
        .index = "BUILDKITE_PARALLEL_JOB", .count = "BUILDKITE_PARALLEL_JOB_COUNT", .first = 0}};

// `index` counts from `first`.
std::optional<Shard> make_shard(std::string_view index, std::string_view count, std::size_t first) {
  const auto number = util::parse_number<std::size_t>(index);
  const auto all = util::parse_number<std::size_t>(count);
  if (!number || !all || *all > most_shards || *number < first || *number - first >= *all) {
    return std::nullopt;
  }
  return Shard{.index = *number - first, .count = *all};
}

std::optional<Shard> shard_of_service(const util::ProcessEnvironment& environment) {
  for (const ServiceVariables& service : services) {
    const auto index = environment.get(service.index);
    const auto count = environment.get(service.count);
    if (!index || !count) {
      continue;
    }
    if (const auto shard = make_shard(*index, *count, service.first)) {
      return shard;
    }
    throw UsageError({.what = fmt::format("'{}' of '{}' is no job of a group", *index, *count),
                      .where = fmt::format("{} and {}", service.index, service.count),
                      .hint = "Give the shard by its number, such as 2/5"});
  }
  return std::nullopt;
}

} // namespace

std::string to_string(const Shard& shard) {
  return fmt::format("{}/{}", shard.index + 1, shard.count);
}

std::optional<Shard> parse_shard(std::string_view text, std::string_view source,
                                 const util::ProcessEnvironment& environment) {
  const std::string_view word = util::strip(text);
  if (util::to_lower(word) == "auto") {
    return shard_of_service(environment);
  }
  const std::size_t slash = word.find('/');
  if (slash != std::string_view::npos) {
    if (const auto shard = make_shard(word.substr(0, slash), word.substr(slash + 1), 1)) {
      return shard;
    }
  }
  throw UsageError({.what = fmt::format("'{}' is not a shard", text),
                    .where = std::string(source),
                    .hint = "Use N/COUNT with N from 1 to COUNT, such as 2/5, or auto"});
}

} // namespace testmon_precreate::core
