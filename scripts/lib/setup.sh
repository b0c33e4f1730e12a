# Sourced by the scripts: installs what is missing and sets what all of them need.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/netcore"
jobs=$(nproc)
export root cache jobs

# What the library, its samples and its tests take on Debian 12.
# shellcheck disable=SC2034 # for those who source this
build_packages=(g++ cmake ninja-build pkg-config libfmt-dev liburing-dev libcli11-dev libutfcpp-dev
  libxxhash-dev nlohmann-json3-dev)

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo ${CI:+-n} "$@" # nobody is there to type a password
  fi
}

# need_packages PACKAGE...: installs those that are missing, as root or with sudo. On a system
# without apt-get it says what to install and goes on: CMake names what it can't find.
need_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "This system has no apt-get. Needed are, under Debian's names: $*"
    return 0
  fi
  local missing=() package
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "please install as root: apt-get install ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp --suffix=.netcore-install)
  # One source that can't be reached must not matter when the others have the packages.
  as_root apt-get update >"$log" 2>&1 || true
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install ${missing[*]} (the whole output: $log); Debian 12 has them all"
  fi
  rm -f "$log"
}

# raise_descriptor_limit [MOST]: sockets are descriptors, and the tests open thousands.
raise_descriptor_limit() {
  local limit most=${1:-unlimited}
  limit=$(ulimit -Hn)
  if [[ $most != unlimited ]] && [[ $limit == unlimited || $limit -gt $most ]]; then
    limit=$most
  fi
  ulimit -n "$limit" 2>/dev/null || true
}
