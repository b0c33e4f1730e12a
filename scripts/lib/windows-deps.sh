# Sourced by the scripts: puts the sources that a Windows build takes where CMake looks for them
# (NETCORE_DEPS_DIR). They are Debian's source packages, so that apt is all the network it needs.
# shellcheck shell=bash

# What a Windows build takes, and what runs its programs; dpkg-dev unpacks sources.
# shellcheck disable=SC2034 # for those who source this
mingw_packages=(g++-mingw-w64-x86-64-posix dpkg-dev)
# shellcheck disable=SC2034
wine_packages=(wine wine64)

# fetch_sources FOLDER PACKAGE...: downloads and unpacks Debian source packages. The system's own
# lists of sources stay as they are, and no root is needed.
fetch_sources() {
  local folder=$1
  shift
  local codename mirror package
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-bookworm}")
  # shellcheck disable=SC2016 # these are apt's names, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }')
  mirror=${mirror:-http://deb.debian.org/debian}

  mkdir -p "$folder/lists/partial" "$folder/archives/partial"
  printf 'deb-src %s %s main\n' "$mirror" "$codename" >"$folder/sources.list"
  local options=(
    -o "Dir::Etc::sourcelist=$folder/sources.list"
    -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$folder/lists"
    -o "Dir::Cache=$folder/archives"
    -o APT::Sandbox::User=
    -o 'APT::Update::Post-Invoke-Success::='
  )
  (
    cd "$folder" || exit
    apt-get "${options[@]}" update || exit
    apt-get "${options[@]}" source --download-only "$@" || exit
    for package in "$@"; do
      dpkg-source -x "$package"_*.dsc "$folder/$package" || exit
    done
  )
}

# link_headers FOLDER: header-only packages. Only headers, and only these: /usr/include as a whole
# would bring Linux into the build.
link_headers() {
  mkdir -p "$1"
  ln -sfn /usr/include/CLI "$1/CLI"
  ln -sfn /usr/include/utf8.h "$1/utf8.h"
  ln -sfn /usr/include/utf8 "$1/utf8"
  ln -sfn /usr/include/nlohmann "$1/nlohmann"
  ln -sfn /usr/include/xxhash.h "$1/xxhash.h"
}

# prepare_windows_dependencies: fills $cache/deps once.
prepare_windows_dependencies() {
  # shellcheck disable=SC2154 # scripts/lib/setup.sh sets it
  local deps="$cache/deps"
  if [[ -e $deps/complete ]]; then
    link_headers "$deps/include" # an older folder may lack some of them
    return 0
  fi
  say "fetching the sources of fmt, Catch2 and Google Benchmark for the Windows build"
  local work
  work=$(mktemp --directory --suffix=.netcore-deps)
  if ! fetch_sources "$work" fmtlib catch2 benchmark >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    fail "could not fetch the sources from Debian (the whole output: $work/log)"
  fi
  rm -rf "$deps"
  mkdir -p "$deps"
  mv "$work/fmtlib" "$deps/fmt"
  mv "$work/catch2" "$deps/Catch2"
  mv "$work/benchmark" "$deps/benchmark"
  link_headers "$deps/include"
  touch "$deps/complete"
  rm -rf "$work"
}
