# shellcheck shell=bash
# What the scripts share; sourced by them, after `set -euo pipefail`. Expects bash.

source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # of the scripts
tools_venv=$source_directory/build/tools

# With ccache, the wheel's build and another checkout use what this build compiled.
export CCACHE_BASEDIR=$source_directory CCACHE_NOHASHDIR=1

# Put before a command: what ends this script ends that command as well, with SIGTERM.
ends_with_us=(setpriv --pdeathsig TERM)
"${ends_with_us[@]}" true 2>/dev/null || ends_with_us=(env)

say() { printf '\033[1m== [%s s] %s\033[0m\n' "$SECONDS" "$*" >&2; }
if [ ! -t 2 ] || [ -n "${NO_COLOR:-}" ]; then say() { printf '== [%s s] %s\n' "$SECONDS" "$*" >&2; }; fi

die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# For a command line that cannot be understood.
refuse() {
  printf '%s: error: %s. For what can be given: %s --help\n' "$(basename "$0")" "$*" "$0" >&2
  exit 2
}

# read_command_line MOST OPTIONS "$@": answers --help with the comment at the top of the script, and refuses an
# option that is not one of OPTIONS (`--name`, or `--name=` for one with a value) and more than MOST other
# arguments. What follows `--` is not looked at. Call it before anything is done.
read_command_line() {
  local most=$1 options=" $2 "
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    if [ "$1" = --help ] || [ "$1" = -h ]; then
      sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
      exit 0
    elif [[ $1 == -?* && $options == *" $1= "* ]]; then
      [ $# -gt 1 ] || refuse "$1 needs a value"
      shift
    elif [[ $1 == -?* ]]; then
      [[ $options == *" $1 "* || ($1 == *=* && $options == *" ${1%%=*}= "*) ]] || refuse "unknown option $1"
    else
      most=$((most - 1))
      [ "$most" -ge 0 ] || refuse "unexpected argument $1"
    fi
    shift
  done
}

# The packages of a build on Debian; on another system they are yours to install, and what is missing of the
# libraries is downloaded by CMake.
# shellcheck disable=SC2034 # of the scripts
build_packages=(g++ cmake ninja-build libcli11-dev libsqlitecpp-dev libsqlite3-dev nlohmann-json3-dev libfmt-dev
  libtomlplusplus-dev libmd-dev doctest-dev python3-venv)

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# may_install WHAT REFUSAL: says what is about to be installed, and asks first on a terminal, but never in CI. Ends
# the script with REFUSAL if the answer is no.
may_install() {
  say "installing $1"
  if [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ]; then
    local answer
    read -r -p "Install this now? [Y/n] " answer
    [[ $answer =~ ^([yY].*)?$ ]] || die "$2"
  fi
}

# need_packages PACKAGE…: installs the Debian packages that are missing, all at once, as root or by sudo. If that is
# impossible, says in one line what to install. Does nothing on other systems.
need_packages() {
  local missing=() package sudo=()
  command -v dpkg-query >/dev/null || return 0
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local options=(install -y -qq --no-install-recommends)
  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  if [ ${#sudo[@]} -gt 0 ] && ! { [ -t 0 ] && command -v sudo || sudo -n true; } >/dev/null 2>&1; then
    die "Debian packages are missing. Install them as root, then run this again: $by_hand"
  fi
  may_install "${#missing[@]} Debian packages${sudo[*]:+ with sudo}: ${missing[*]}" \
    "not installed. By hand, as root: $by_hand"
  # The lists of a machine that was just set up are old or empty; an install from good ones is quicker.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "${missing[@]}" >/dev/null 2>&1 ||
    { "${sudo[@]}" apt-get update -qq >&2 &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "${missing[@]}" >&2; } ||
    die "apt-get failed. By hand, as root: $by_hand"
}

# need_tools: a virtual environment under build/ with what the tests and the checks drive. $also_installed says what
# else is going to be installed.
need_tools() {
  local tools=(uv pytest pytest-xdist ruff==0.17.6 mypy==2.4.1)
  [ "$(cat "$tools_venv/complete" 2>/dev/null)" != "${tools[*]}" ] || return 0
  may_install "from PyPI into build/tools: ${tools[*]}${also_installed:-}" "not installed: ${tools[*]}"
  rm -rf "$tools_venv"
  python3 -m venv "$tools_venv" || die "python3 cannot make a virtual environment"
  "$tools_venv/bin/python" -m pip install --quiet --disable-pip-version-check "${tools[@]}" ||
    die "PyPI could not be reached; these are needed from it: ${tools[*]}"
  echo "${tools[*]}" >"$tools_venv/complete"
}

# Passes a line on now and then, and swallows the others.
now_and_then() {
  local line last=$SECONDS
  while IFS= read -r line; do
    if [ $((SECONDS - last)) -ge "${PROGRESS_SECONDS:-20}" ]; then
      printf '   [%s s] %s\n' "$SECONDS" "$line"
      last=$SECONDS
    fi
  done
}

# build NAME OPTION…: configures and builds build/NAME; of its targets only those in $build_target, if that is set.
# Shows ninja's own progress on a terminal, a line of it now and then elsewhere; ends the script on a failure.
build() {
  local name=$1 directory=$source_directory/build/$1
  local log=$directory/build.log launcher=() command=("${ends_with_us[@]}" ninja -C "$directory")
  shift
  # shellcheck disable=SC2206 # several targets
  command+=(${build_target:-})
  ! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  say "building build/$name"
  mkdir -p "$directory"
  cmake -S "$source_directory" -B "$directory" -G Ninja -DTESTMON_PRECREATE_TESTS=ON "${launcher[@]}" "$@" >"$log" ||
    { tail -n 30 "$log" >&2; die "CMake could not configure build/$name"; }
  local status=0 progress
  if [ -t 2 ]; then
    "${command[@]}" >&2 || status=$?
  else
    exec {progress}> >(tee "$log" | now_and_then >&2)
    local shown=$!
    "${command[@]}" >&"$progress" 2>&1 || status=$?
    exec {progress}>&-
    wait "$shown" || true
    [ "$status" -eq 0 ] || tail -n 60 "$log" >&2
  fi
  [ "$status" -eq 0 ] || die "the build in build/$name failed"
}
