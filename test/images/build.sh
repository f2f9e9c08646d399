#!/bin/sh
# Makes sure that the base images are there: pulled where a registry answers, else made of the distribution's packages.
#   sh test/images/build.sh [-v] [-n] [image…]      default: every image that buildpacks and fixtures use
#   -v shows what the tools say; -n does nothing where a registry answers (builds pull what they need)
# Prints the tag of each image that this run added, one a line; says the rest on stderr.
# An image that is there already is left alone. What is made here keeps the official images' conventions
# (users, entrypoints, paths), so that the same Dockerfiles build here and in the field.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=recipes.sh
. "$here/recipes.sh"

all="debian:bookworm-slim busybox:1.36 node:26-bookworm-slim node:24-bookworm-slim node:22-bookworm-slim
  oven/bun:1-slim nginx:1.28-bookworm"

say() { echo "images: $*" >&2; }
fail() { say "$*"; exit 1; }
quiet() { if [ -n "$verbose" ]; then "$@" >&2; else "$@" >>"$work/log" 2>&1; fi; }
have() { docker image inspect "$1" >/dev/null 2>&1; }

# Asked once a run. No registry, no network or a quota used up all mean the same: make them.
registry_answers() {
  [ -n "$registry" ] || { if timeout 20 docker pull -q busybox:1.36 >/dev/null 2>&1; then registry=yes; else registry=no; fi; }
  [ "$registry" = yes ]
}

pulled() { registry_answers && { have "$1" || { say "pulling $1"; timeout 600 docker pull -q "$1" >/dev/null; }; }; }

made() {
  say "making $1"
  case $1 in
    debian:bookworm-slim) make_debian ;;
    busybox:1.36) make_busybox ;;
    node:*-bookworm-slim) need debian:bookworm-slim; major=${1#node:}; make_node "${major%%-*}" ;;
    oven/bun:1-slim) need debian:bookworm-slim; make_bun ;;
    nginx:1.28-bookworm) need debian:bookworm-slim; make_nginx ;;
    diplo-test/systemd:bookworm) need debian:bookworm-slim; make_systemd ;;
    *) fail "no recipe for $1" ;;
  esac
}

need() {
  ! have "$1" || return 0
  case $1 in diplo-test/*) made "$1" ;; *) pulled "$1" || made "$1" ;; esac
  have "$1" || fail "$1 could not be made"
  echo "$1"
}

verbose='' registry='' container='' only_without=''
while :; do
  case ${1:-} in
    -v) verbose=yes ;;
    -n) only_without=yes ;;
    *) break ;;
  esac
  shift
done
docker version >/dev/null 2>&1 || fail "the engine does not answer (sh test/setup/engine.sh starts it)"
if ! command -v flock >/dev/null; then fail "flock is missing (package util-linux)"; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/diplo-images.XXXXXX")
finish() {
  status=$?
  case $status in 0 | 130 | 143) ;; *) tail -n 30 "$work/log" >&2 2>/dev/null || true ;; esac
  [ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# Two runs at once would make the same images twice.
exec 9>"${TMPDIR:-/tmp}/diplo-images.$(id -u).lock"
flock 9

# shellcheck disable=SC2086 # a list of tags
[ $# -gt 0 ] || set -- $all
for image; do
  if have "$image"; then continue; fi
  if [ -n "$only_without" ] && registry_answers; then exit 0; fi
  need "$image"
done
