#pragma once

#include "collection_rules.hpp"

#include <testmon_precreate/pytest/test_files.hpp>

#include <string>
#include <vector>

namespace testmon_precreate::pytest {

// Adds the test files in and below `starts`, as absolute paths in no order, and a warning for each
// directory that cannot be read.
void walk_directories(const CollectionRules& rules, const std::vector<std::string>& starts,
                      TestFiles& result);

} // namespace testmon_precreate::pytest
