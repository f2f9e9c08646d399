#!/bin/sh
# Writes systemd/*.service into install.sh as here-documents, so that a piped install.sh needs no more than the executable.
#   sh test/install/embed-units.sh          rewrites install.sh
#   sh test/install/embed-units.sh --check  fails when it would change
set -eu

cd "$(dirname "$0")/../.."
work=$(mktemp)
trap 'rm -f "$work"' EXIT

unit() { printf "%s() {\n  cat <<'UNIT'\n" "$1"; cat "systemd/$2"; printf 'UNIT\n}\n'; }

{
  sed '/^# ── the units/q' install.sh
  echo
  unit unit_control diplo.service
  echo
  unit unit_proxy diplo-proxy.service
  echo
  sed -n '/^main() {/,$p' install.sh
} >"$work"

if cmp -s "$work" install.sh; then exit 0; fi
[ "${1:-}" != --check ] || { echo "install.sh differs from systemd/*.service: sh test/install/embed-units.sh" >&2; exit 1; }
cat "$work" >install.sh
