# What the scripts share; sourced by them. Expects bash.

source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools_venv=$source_directory/build/tools

# Where ccache is there, the wheel's build and another checkout use what this build compiled.
export CCACHE_BASEDIR=$source_directory CCACHE_NOHASHDIR=1

say() { printf '\033[1m== [%s s] %s\033[0m\n' "$SECONDS" "$*" >&2; }
if [ ! -t 2 ] || [ -n "${NO_COLOR:-}" ]; then say() { printf '== [%s s] %s\n' "$SECONDS" "$*" >&2; }; fi

die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# need_packages PACKAGE…: installs the Debian packages that are missing, as root or by sudo.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "these packages are missing: ${missing[*]}. Install them and run again"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}. Install them as root"
    sudo=(sudo)
  fi
  say "installing ${missing[*]}"
  # The lists of a machine that was just set up are old or empty; an install from good ones is quicker.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { "${sudo[@]}" apt-get update -qq &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
}

# The packages that a build needs; on another system than Debian they are yours to install, and what
# is missing of the libraries is downloaded by CMake.
need_build_packages() {
  command -v dpkg-query >/dev/null || return 0
  need_packages g++ cmake ninja-build libcli11-dev libsqlitecpp-dev libsqlite3-dev nlohmann-json3-dev \
    libfmt-dev libtomlplusplus-dev libminizip-dev zlib1g-dev doctest-dev python3-venv
}

# need_tools: a virtual environment under build/ with what the tests and the quick start drive.
need_tools() {
  if [ ! -e "$tools_venv/complete" ]; then
    say "making a Python environment in build/tools"
    rm -rf "$tools_venv"
    python3 -m venv "$tools_venv"
    "$tools_venv/bin/pip" install --quiet --disable-pip-version-check uv pytest pytest-xdist ||
      die "PyPI could not be reached; the tests need uv, pytest and pytest-xdist from it"
    touch "$tools_venv/complete"
  fi
}

# build NAME OPTION…: configures and builds build/NAME; of its targets only those in $build_target where that is set.
build() {
  local name=$1
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  say "building build/$name"
  cmake -S "$source_directory" -B "$source_directory/build/$name" -G Ninja "${launcher[@]}" "$@" >/dev/null
  cmake --build "$source_directory/build/$name" ${build_target:+--target $build_target} >"$source_directory/build/$name/build.log" ||
    { tail -n 60 "$source_directory/build/$name/build.log" >&2; die "the build in build/$name failed"; }
}
