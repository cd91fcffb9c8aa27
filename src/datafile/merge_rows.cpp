#include "merge_rows.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace testmon_precreate::datafile {

namespace {

bool is_visible_in_any(const std::vector<FileRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const FileRow& row) { return !row.parked; });
}

void complete(Environment& environment, const OwnDistributions& own) {
  const auto found = own.find(environment);
  if (environment.own_distributions.empty() && found != own.end()) {
    environment.own_distributions = found->second;
  }
}

// Of texts that differ in own versions the greatest stays, whatever the order of the files.
std::vector<FileRow>& entry_of(const Environment& environment, FileRows& rows) {
  const auto [entry, is_new] = rows.try_emplace(environment);
  if (is_new || entry->first.system_packages >= environment.system_packages) {
    return entry->second;
  }
  auto node = rows.extract(entry);
  node.key() = environment;
  return rows.insert(std::move(node)).position->second;
}

} // namespace

bool ByContent::operator()(const Environment& left, const Environment& right) const {
  return std::tie(left.name, left.python_version, left.system_packages) <
         std::tie(right.name, right.python_version, right.system_packages);
}

bool ByDependencies::operator()(const Environment& left, const Environment& right) const {
  return std::tuple(left.name, left.python_version, dependencies(left)) <
         std::tuple(right.name, right.python_version, dependencies(right));
}

void add_own_distributions(SQLite::Database& database, OwnDistributions& own) {
  for (const EnvironmentRow& row : EnvironmentTable(database).all()) {
    if (!row.environment.own_distributions.empty()) {
      own.emplace(row.environment, row.environment.own_distributions);
    }
  }
}

void add_rows(SQLite::Database& database, std::size_t file, const OwnDistributions& own,
              FileRows& rows) {
  Parking parking(database);
  for (EnvironmentRow& row : EnvironmentTable(database).all()) {
    complete(row.environment, own);
    entry_of(row.environment, rows)
        .push_back({.file = file,
                    .id = row.id,
                    .parked = row.parked,
                    .parked_at = row.parked ? parking.parked_at(row.id) : util::Seconds(0)});
  }
}

TargetRows::TargetRows(SQLite::Database& database, const OwnDistributions& own)
    : environments_(database)
    , parking_(database) {
  for (EnvironmentRow& row : environments_.all()) {
    complete(row.environment, own);
    contents_.insert(row.environment);
    if (!row.parked) {
      visible_.insert(row.environment.name);
      rows_.insert_or_assign(row.environment, row);
    } else {
      rows_.emplace(row.environment, row);
    }
  }
}

std::optional<std::int64_t> TargetRows::find(const Environment& environment) const {
  const auto found = rows_.find(environment);
  return found == rows_.end() ? std::nullopt : std::optional(found->second.id);
}

void TargetRows::park_outdated(const FileRows& others) {
  std::set<std::string> shown;
  for (const auto& [environment, rows] : others) {
    if (is_visible_in_any(rows)) {
      shown.insert(environment.name);
    }
  }
  for (auto& [environment, row] : rows_) {
    const auto found = others.find(environment);
    const bool outdated = shown.contains(environment.name) &&
                          (found == others.end() || !is_visible_in_any(found->second));
    if (!row.parked && outdated) {
      parking_.park({&row.id, 1}, util::wall_clock_now());
      row.parked = true;
      visible_.erase(environment.name);
    }
  }
}

void TargetRows::take_text_of(const Environment& environment) {
  const auto found = rows_.find(environment);
  if (found != rows_.end() && contents_.insert(environment).second) {
    environments_.rename(found->second.id, environment.system_packages);
    environments_.note_own_distributions(found->second.id, environment);
  }
}

std::optional<std::int64_t> TargetRows::make_ready(const Environment& environment,
                                                   const std::vector<FileRow>& others) {
  const bool visible_elsewhere = is_visible_in_any(others);
  const auto found = rows_.find(environment);
  if (found != rows_.end()) {
    if (found->second.parked && visible_elsewhere && visible_.insert(environment.name).second) {
      parking_.restore(found->second.id);
    }
    return found->second.id;
  }
  if (!contents_.insert(environment).second) {
    return std::nullopt;
  }
  const std::int64_t id = environments_.insert(environment);
  if (!visible_elsewhere || !visible_.insert(environment.name).second) {
    util::Seconds parked_at = visible_elsewhere ? util::wall_clock_now() : util::Seconds(0);
    for (const FileRow& row : others) {
      parked_at = std::max(parked_at, row.parked_at);
    }
    parking_.park({&id, 1}, parked_at);
  }
  return id;
}

} // namespace testmon_precreate::datafile
