#!/bin/sh
# The real installation, in a container that boots systemd and has an engine of its own.
#   npm run test:install
# Not part of `npm test`: it installs packages and takes minutes.
set -eu

cd "$(dirname "$0")/../.."
sh test/setup/bun.sh --version
sh test/setup/engine.sh --tests
sh test/images/build.sh debian:bookworm-slim busybox:1.36 diplo-test/systemd:bookworm

# The tests go on where the one before ended, hence --bail; what is left then is removed here.
DIPLO_TEST_MACHINE=diplo-test-install-$$
export DIPLO_TEST_MACHINE
TMPDIR=$(mktemp -d)
export TMPDIR
clean() {
  rm -rf "$TMPDIR"
  docker rm -fv "$DIPLO_TEST_MACHINE" >/dev/null 2>&1 || true
  docker volume rm -f "$DIPLO_TEST_MACHINE" >/dev/null 2>&1 || true
}
trap clean EXIT
trap 'exit 130' INT TERM
sh test/setup/bun.sh test --bail --timeout 600000 ./test/install/real-install.ts "$@"
