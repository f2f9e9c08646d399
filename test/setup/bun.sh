#!/bin/sh
# Runs the pinned bun with the given arguments, after making sure that it and every dependency are installed.
#   sh test/setup/bun.sh run src/compile.ts
# Needs node and npm, nothing else. Says nothing on stdout of its own: that belongs to bun.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
bun=$root/node_modules/.bin/bun
stamp=$root/node_modules/.diplo-lock

# One answer for "is what lies in node_modules what the lockfile says?"
fingerprint() { cat "$root/package.json" "$root/bun.lock" | cksum; }

installed() { [ -x "$bun" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ] && "$bun" --version >/dev/null 2>&1; }

# npx keeps its own copy, which serves for this one install only. Its warnings go to stderr.
install() {
  version=$(sed -n 's/^ *"bun": "\([0-9][0-9.]*\)",*$/\1/p' "$root/package.json")
  [ -n "$version" ] || { echo "bun.sh: package.json pins no bun" >&2; exit 1; }
  command -v npx >/dev/null || { echo "bun.sh: npm is missing; install Node.js 20 or newer" >&2; exit 1; }
  (cd "$root" && npx --yes "bun@$version" install --frozen-lockfile) >&2
  "$bun" --version >/dev/null || repair "$version"
  fingerprint >"$stamp"
}

# bun's package puts its binary in place from a postinstall script; where scripts are switched off, run it by hand.
repair() {
  (cd "$root/node_modules/bun" && node install.js) >&2
  [ "$("$bun" --version)" = "$1" ] || { echo "bun.sh: bun $1 did not install" >&2; exit 1; }
}

# Two callers at once: the second waits for the first. The lock of a dead process holds nobody up.
locked() {
  lock=$root/node_modules/.diplo-installing
  mkdir -p "$root/node_modules"
  until (set -C && echo $$ >"$lock") 2>/dev/null; do
    sleep 1
    kill -0 "$(cat "$lock" 2>/dev/null)" 2>/dev/null || rm -f "$lock"
  done
  trap 'rm -f "$lock"' EXIT
  installed || "$@"
  rm -f "$lock"
  trap - EXIT
}

installed || locked install
exec "$bun" "$@"
