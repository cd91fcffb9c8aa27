#include "option_table.hpp"

#include <fmt/format.h>

namespace testmon_precreate::pytest {

namespace {

// Names between blanks.
using Options = std::string_view;

// pytest's own options, of 7.0 to 9.2. tests/end_to_end/test_option_table.py compares them with
// what the oldest and the newest release say of themselves.
constexpr Options core_with_value =
    " --assert --basetemp --capture --code-highlight --color --confcutdir --config-file "
    "--deselect --doctest-glob --doctest-report --durations --durations-min --ignore "
    "--ignore-glob --import-mode --junit-prefix --junit-xml --junitprefix --junitxml "
    "--last-failed-no-failures --lfnf --log-auto-indent --log-cli-date-format --log-cli-format "
    "--log-cli-level --log-date-format --log-disable --log-file --log-file-date-format "
    "--log-file-format --log-file-level --log-file-mode --log-format --log-level --max-warnings "
    "--maxfail --override-ini --pastebin --pdbcls --pythonwarnings --report-chars --rootdir "
    "--show-capture --tb --verbosity -W -c -k -m -o -p -r ";

constexpr Options core_with_optional_value = " --cache-show --debug ";

constexpr Options core_flags =
    " --cache-clear --co --collect-in-virtualenv --collect-only --collectonly "
    "--continue-on-collection-errors --disable-plugin-autoload --disable-pytest-warnings "
    "--disable-warnings --doctest-continue-on-failure --doctest-ignore-import-errors "
    "--doctest-modules --exitfirst --failed-first --ff --fixtures --fixtures-per-test "
    "--force-short-summary --full-trace --fulltrace --funcargs --help --keep-duplicates "
    "--keepduplicates --last-failed --lf --markers --new-first --nf --no-fold-skipped "
    "--no-header --no-showlocals --no-summary --noconftest --pdb --pyargs --quiet --runxfail "
    "--setup-only --setup-plan --setup-show --setuponly --setupplan --setupshow --showlocals "
    "--stepwise --stepwise-reset --stepwise-skip --strict --strict-config --strict-markers --sw "
    "--sw-reset --sw-skip --trace --trace-config --traceconfig --verbose --version --xfail-tb "
    "-V -h -l -q -s -v -x ";

// Options of plugins whose value this program uses, or whose value can be an existing path. Any
// other word after an option that is not known here is told from a path by not existing.
constexpr Options plugins_with_value =
    " --alluredir --benchmark-json --benchmark-storage --cov-config --cov-context --cov-report "
    "--css --cucumber-json --cucumberjson --dist --durations-path --envfile --html "
    "--json-report-file --memray-bin-path --metadata-from-json-file --mypy-config-file "
    "--numprocesses --output --pstats-dir --report-log --rerun-exclude-path --rsyncdir "
    "--rsyncignore --ruff-config --snapshot-dirname --sugar-trace-dir --testmon-env --tx -n ";

bool holds(Options options, std::string_view option) {
  return option.find(' ') == std::string_view::npos &&
         options.find(fmt::format(" {} ", option)) != std::string_view::npos;
}

} // namespace

std::optional<ValueCount> value_count(std::string_view option, KnownOptions known) {
  if (holds(core_with_value, option)) {
    return ValueCount::one;
  }
  if (holds(core_flags, option)) {
    return ValueCount::none;
  }
  if (holds(core_with_optional_value, option)) {
    return ValueCount::optional;
  }
  if (known == KnownOptions::core) {
    return std::nullopt;
  }
  if (holds(plugins_with_value, option)) {
    return ValueCount::one;
  }
  if (option == "--cov") {
    return ValueCount::optional;
  }
  return std::nullopt;
}

} // namespace testmon_precreate::pytest
