#!/bin/sh
# `./install.sh --try`: Diplo in the foreground on a throwaway data directory and high ports, with a sample app.
# Works as root on a bare Debian with Node, and as any user who may use the engine. Ctrl-C removes everything it made:
# the app's containers, networks, images and volumes, the data, the base images it had to make, an engine it started.
# What stays is what was installed from the distribution, and node_modules/ and dist/ in the checkout.
# shellcheck disable=SC2317 # put_away runs by trap
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
diplo=$root/dist/diplo
serve='' data='' more_images='' engine_started=''

say() { echo "diplo: $*"; }
fail() { echo "diplo: $*" >&2; exit 1; }

on_box() { "$diplo" "$@" --data "$data"; }

prepare() {
  command -v npm >/dev/null || fail "Node.js 20 or newer with npm is needed"
  [ -S /var/run/docker.sock ] || [ -n "${DOCKER_HOST:-}" ] || engine_started=yes
  say "looking after the engine"
  sh "$root/test/setup/engine.sh"
  say "building dist/diplo"
  (cd "$root" && sh test/setup/bun.sh run src/compile.ts) >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "the build failed"; }
  # What the sample app is built on first; the rest while a person looks at it.
  sh "$root/test/images/build.sh" -n node:26-bookworm-slim >"$work/images"
}

# Ports and a network pool that nothing else on this machine uses: `control http https pool`.
free_places() {
  # shellcheck disable=SC2016 # JavaScript's dollars
  node -e '
    const { createServer } = require("net"), { readFileSync } = require("fs");
    const bind = (port) => new Promise((ok) => {
      const s = createServer().once("error", () => ok(null)).listen(port, "0.0.0.0", () => {
        const { port } = s.address();
        s.close(() => ok(port));
      });
    });
    const routes = readFileSync("/proc/net/route", "utf8").split("\n").map((l) => l.split("\t")[1] ?? "");
    const taken = (second) => routes.some((r) => r.endsWith(second.toString(16).toUpperCase().padStart(2, "0") + "0A"));
    (async () => {
      const ports = [];
      for (const wish of [18080, 10080, 10443]) ports.push((await bind(wish)) ?? (await bind(0)));
      const second = [214, 215, 216, 217, 218, 219].find((n) => !taken(n)) ?? 220;
      console.log(ports.join(" "), `10.${second}.0.0/16`);
    })()'
}

# A session of its own: Ctrl-C is for this script, which puts things away in order.
start() {
  data=$(mktemp -d /tmp/diplo.XXXXXX)
  # shellcheck disable=SC2046 # four words
  set -- $(free_places)
  control=$1
  setsid "$diplo" serve --data "$data" --control "0.0.0.0:$1" --http "0.0.0.0:$2" --https "0.0.0.0:$3" \
    --pool "$4" --app-ports 20000-20999 >"$work/serve.log" 2>&1 </dev/null &
  serve=$!
  left=60
  until on_box apps --json >/dev/null 2>&1; do
    left=$((left - 1))
    if [ "$left" = 0 ] || ! kill -0 "$serve" 2>/dev/null; then tail -n 20 "$work/serve.log" >&2; fail "diplo serve did not start"; fi
    sleep 0.5
  done
}

sample_repository() {
  cp -R "$root/test/fixtures/sample" "$work/sample"
  (
    cd "$work/sample"
    git init -q -b main
    git add .
    git -c user.name=Diplo -c user.email=diplo@localhost -c commit.gpgsign=false commit -q -m "A page that says hello"
  )
}

deploy_sample() {
  sample_repository
  say "deploying the sample app from $work/sample (git)"
  on_box deploy "file://$work/sample" --name sample || { tail -n 20 "$work/serve.log" >&2; fail "the sample app did not deploy"; }
}

# One field of the JSON that a verb prints.
field() {
  name=$1
  shift
  on_box "$@" --json | node -p 'JSON.parse(require("fs").readFileSync(0, "utf8"))[process.argv[1]]' "$name"
}

# LAN addresses, as the box itself knows them: a person's browser may be on another machine.
announce() {
  link=$(field url login-link)
  echo
  echo "  Your app     $(field url apps:info sample)"
  echo "  Dashboard    ${link%/setup*}/"
  echo "  Sign in      $link"
  echo "               once, within 10 minutes; another: dist/diplo login-link --data $data"
  echo
  echo "  Terminal     export DIPLO_DATA=$data; alias diplo=$diplo"
  echo "               diplo deploy . ; diplo apps ; diplo --help"
  echo
  echo "  On this machine itself 127.0.0.1 does as well: http://127.0.0.1:$control/setup#${link#*#}"
  echo "  Log: $work/serve.log"
  echo "  Ctrl-C stops it and removes everything it made."
}

# Twice Ctrl-C must not leave half of it behind.
put_away() {
  status=$?
  trap '' INT TERM HUP
  trap - EXIT
  set +e
  echo
  say "removing what this run made"
  if [ -n "$serve" ]; then
    kill "$serve" 2>/dev/null
    wait "$serve"
    [ ! -e "$data/diplo.db" ] || on_box destroy-box --yes --purge >>"$work/serve.log" 2>&1 ||
      { tail -n 5 "$work/serve.log" >&2; status=1; }
  fi
  [ -z "$more_images" ] || { kill -- "-$more_images"; wait "$more_images"; } 2>/dev/null
  # shellcheck disable=SC2046 # a list of tags
  [ ! -s "$work/images" ] || docker rmi $(cat "$work/images") >/dev/null 2>&1
  [ -z "$engine_started" ] || [ -n "$(docker ps -q)" ] || sh "$root/test/setup/engine.sh" --stop
  rm -rf "${data:-}" "$work" "${TMPDIR:-/tmp}/diplo-images.$(id -u).lock"
  exit "$status"
}

work=$(mktemp -d /tmp/diplo-try.XXXXXX)
trap put_away EXIT
trap 'exit 0' INT TERM HUP
prepare
start
deploy_sample
announce
setsid sh "$root/test/images/build.sh" -n >>"$work/images" 2>>"$work/serve.log" &
more_images=$!
wait "$serve"
fail "diplo serve ended by itself"
