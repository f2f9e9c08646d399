#!/bin/sh
# Makes the engine answer, and installs the distribution's packages that builds and tests need.
#   sh test/setup/engine.sh            the engine and git: what running Diplo needs
#   sh test/setup/engine.sh --stop     ends an engine that this script started
#   sh test/setup/engine.sh --packages what `npm test` needs, without the engine's start
#   sh test/setup/engine.sh --tests    also a browser, debootstrap, shellcheck, qemu: what `npm test` needs
# Idempotent. As root it installs what is absent; as another user it says what is missing.
set -eu

say() { echo "engine: $*" >&2; }
fail() { say "$*"; exit 1; }

# Newer distributions ship the client apart.
client=docker.io
if apt-cache show docker-cli >/dev/null 2>&1; then client=docker-cli; fi

# command:package, so that nothing is installed whose command is already there.
wanted="dockerd:docker.io docker:$client git:git ssh-agent:openssh-client iptables:iptables debootstrap:debootstrap"
for_tests="chromium:chromium shellcheck:shellcheck qemu-aarch64-static:qemu-user-static curl:curl ssh-keygen:openssh-client
  python3:python3 pgrep:procps ip:iproute2 docker-registry:docker-registry"

socket() { case ${DOCKER_HOST:-} in unix://*) echo "${DOCKER_HOST#unix://}" ;; '') echo /var/run/docker.sock ;; esac; }

# The engine's own ping, without needing a client: node is the one thing that is always here.
answers() {
  path=$(socket)
  [ -n "$path" ] || { docker version >/dev/null 2>&1; return; }
  [ -S "$path" ] && node -e '
    const r = require("http").get({ socketPath: process.argv[1], path: "/_ping", timeout: 3000 },
      (a) => process.exit(a.statusCode === 200 ? 0 : 1));
    r.on("error", () => process.exit(1)); r.on("timeout", () => process.exit(1))' "$path"
}

absent() {
  for pair in $1; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
  done
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

arm64_libc() { [ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || echo libc6-arm64-cross; }

install_packages() {
  missing=$(absent "$1" | tr '\n' ' ')
  [ "$2" = tests ] && [ "$(uname -m)" = x86_64 ] && missing="$missing$(arm64_libc)"
  [ -n "${missing# }" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "not installed: $missing(a root user can: apt-get install $missing)"
    return 0
  fi
  command -v apt-get >/dev/null || fail "this machine has no apt; please install: $missing"
  say "installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  apt-get update -q >>"$log" 2>&1 || say "apt-get update failed; trying with the lists at hand"
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -q -y --no-install-recommends $missing >>"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "apt-get could not install $missing"; }
  rm -f "$log"
}

start_engine() {
  [ "$(id -u)" = 0 ] || fail "the container engine does not answer at $(socket); start it, or let this user use it (group docker)"
  PATH=$PATH:/usr/sbin:/sbin
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    # A bare machine: nobody but us starts services. Its own session, so that our Ctrl-C does not reach it.
    log=/var/log/dockerd.log
    say "starting dockerd (log: $log)"
    rm -f /var/run/docker.pid
    setsid dockerd >>"$log" 2>&1 </dev/null &
    echo $! >"$ours"
  fi
  await_engine 60
}

await_engine() {
  left=$1
  until answers; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { tail -n 20 "${log:-/dev/null}" >&2; fail "the engine did not answer within $1 s"; }
    sleep 1
  done
}

# The pid file of the engine itself names the process; ours says that we started it.
stop_engine() {
  [ -e "$ours" ] || return 0
  pid=$(cat /var/run/docker.pid 2>/dev/null || cat "$ours")
  rm -f "$ours"
  kill "$pid" 2>/dev/null || return 0
  left=30
  while kill -0 "$pid" 2>/dev/null && [ "$left" -gt 0 ]; do left=$((left - 1)); sleep 1; done
}

ours=/var/run/diplo-dockerd
case ${1:-} in
  --stop) stop_engine; exit 0 ;;
  --packages) install_packages "$wanted $for_tests" tests; exit 0 ;;
  --tests) install_packages "$wanted $for_tests" tests ;;
  '') install_packages "$wanted" run ;;
  *) fail "unknown argument $1" ;;
esac
answers || start_engine
