#!/bin/sh
# The real installation, in a container that boots systemd and has an engine of its own.
#   npm run test:install
# Not part of `npm test`: it installs packages and takes minutes.
set -eu

cd "$(dirname "$0")/../.."
sh test/setup/bun.sh --version
sh test/setup/engine.sh --tests
sh test/images/build.sh debian:bookworm-slim busybox:1.36 diplo-test/systemd:bookworm
exec sh test/setup/bun.sh test --timeout 600000 ./test/install/real-install.ts "$@"
