#!/bin/sh
# Runs engine tests against the other end of the range: the Docker Engine and the Podman of Debian 13, each in a
# network and mount namespace of its own, beside the engine of this machine.
#   npm run test:engines                           the runtime's tests
#   npm run test:engines -- test/integration/deploy.test.ts
# Needs root and debootstrap. Docker must pass; Podman's failures are told and do not count.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
tree=${DIPLO_ENGINES_TREE:-/var/tmp/diplo-engines}
space=diplo-engines
engine_pid=''
tests=$*
[ -n "$tests" ] || tests=$(echo test/integration/runtime-*.test.ts)

say() { printf '\n── %s\n' "$*" >&2; }
fail() { echo "engines: $*" >&2; exit 1; }

make_tree() {
  [ -e "$tree/.complete" ] && return
  say "Debian 13 with both engines in $tree"
  mkdir -p "$tree"
  [ -e "$tree/usr/bin/podman" ] || debootstrap --variant=minbase \
    --include=docker.io,iptables,ca-certificates,podman,catatonit,netavark,aardvark-dns,nftables trixie "$tree" >&2
  mkdir -p "$tree/oldroot" "$tree/run"
  : >"$tree/.complete"
}

# A network of its own with a way out: builds fetch packages.
make_space() {
  drop_space
  ip netns add "$space"
  ip link add dpe0 type veth peer name dpe1 netns "$space"
  ip addr add 10.254.253.1/30 dev dpe0
  ip link set dpe0 up
  ip -n "$space" link set lo up
  ip -n "$space" addr add 10.254.253.2/30 dev dpe1
  ip -n "$space" link set dpe1 up
  ip -n "$space" route add default via 10.254.253.1
  iptables -I FORWARD -i dpe0 -j ACCEPT
  iptables -I FORWARD -o dpe0 -j ACCEPT
  iptables -t nat -A POSTROUTING -s 10.254.253.0/30 -j MASQUERADE
}

drop_space() {
  ip link del dpe0 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  iptables -D FORWARD -i dpe0 -j ACCEPT 2>/dev/null || true
  iptables -D FORWARD -o dpe0 -j ACCEPT 2>/dev/null || true
  iptables -t nat -D POSTROUTING -s 10.254.253.0/30 -j MASQUERADE 2>/dev/null || true
}

# By id: nsenter, unshare and sh each become the next, the engine at last.
stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  engine_pid=''
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  stop_engine
  drop_space
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# socket below the tree, then the engine's command line
start_engine() {
  socket=$tree$1
  shift
  rm -f "$socket"
  # pivot_root, for a plain chroot breaks `docker load`. The values are ours: no quoting is needed.
  nsenter --net="/run/netns/$space" unshare -m --propagation slave sh -c "
    mount --bind $tree $tree
    for directory in proc sys dev; do mount --rbind /\$directory $tree/\$directory; done
    cp /etc/resolv.conf $tree/etc/resolv.conf
    cd $tree && pivot_root . oldroot && cd / && umount -l /oldroot && exec $*" >"$tree/engine.log" 2>&1 </dev/null &
  engine_pid=$!
  left=60
  until docker -H "unix://$socket" version >/dev/null 2>&1; do
    left=$((left - 1))
    if [ "$left" = 0 ] || ! kill -0 "$engine_pid" 2>/dev/null; then
      tail -n 20 "$tree/engine.log" >&2
      fail "$1 did not answer"
    fi
    sleep 1
  done
}

# The base images that this machine's engine has. What is built here is not taken along.
load_images() {
  docker image ls --format '{{.Repository}}:{{.Tag}}' | grep -E '^(busybox|debian|node|nginx|oven/bun):' | grep -v '<none>' |
    while read -r image; do
      docker -H "unix://$socket" image inspect "$image" >/dev/null 2>&1 && continue
      docker save "$image" | docker -H "unix://$socket" load >/dev/null
      # Podman takes an image without a registry's name for its own.
      docker -H "unix://$socket" tag "localhost/$image" "docker.io/library/$image" 2>/dev/null || true
    done
}

run_tests() {
  # shellcheck disable=SC2086 # a list of files
  DOCKER_HOST="unix://$socket" nsenter --net="/run/netns/$space" node_modules/.bin/bun test --timeout 120000 $tests </dev/null
}

# Neither crun nor the usual limits work where control groups are of the first version, as on the build machines.
configure_podman() {
  mkdir -p "$tree/etc/containers"
  [ -e /sys/fs/cgroup/cgroup.controllers ] ||
    printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\n' \
      >"$tree/etc/containers/containers.conf"
}

[ "$(id -u)" = 0 ] || fail "needs root: it makes namespaces and starts engines"
sh test/setup/bun.sh --version >/dev/null
sh test/setup/engine.sh --tests
sh test/images/build.sh busybox:1.36 >/dev/null
make_tree
make_space

docker=0 podman=0
start_engine /run/newer.sock dockerd --data-root /var/lib/docker-newer --exec-root /run/docker-newer \
  -H unix:///run/newer.sock -p /run/docker-newer.pid --bip 172.30.0.1/16
load_images
say "Docker Engine $(docker -H "unix://$socket" version --format '{{.Server.Version}}')"
run_tests || docker=$?
stop_engine

configure_podman
start_engine /run/podman.sock podman system service --time=0 unix:///run/podman.sock
load_images
say "Podman"
run_tests || podman=$?
stop_engine

say "result"
[ "$podman" = 0 ] && echo "Podman: passed" || echo "Podman: some failed (told above; they do not count)"
[ "$docker" = 0 ] && echo "Docker Engine: passed" || echo "Docker Engine: FAILED"
exit "$docker"
