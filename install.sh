#!/bin/sh
# Installs Diplo on a Linux machine with systemd.
#
#   curl -fsSL <releases>/install.sh | sh      the executable of this architecture, checked against SHA256SUMS
#   ./install.sh                               from a checkout: builds it here (needs Node.js 20 or newer)
#   ./install.sh --try                         no installation: runs it in the foreground with a sample app
#
# Run again, it updates. A failure leaves the machine as it was.
#
# Who may what afterwards:
#   diplo        runs the control plane; in group docker, which is as good as root. Owns /var/lib/diplo (0711).
#   diplo-proxy  runs the data plane; owns /var/lib/diplo/proxy (0750) and sees nothing else.
#                User diplo is in group diplo-proxy, to reach proxy.sock, and owns proxy/sites (2750): it writes the
#                files of static releases, the data plane reads them.
#   group diplo  may use the command line without sudo (control.sock, 0660). Nobody is in it unasked.
set -eu
umask 022

# Filled in when a release is published; until then DIPLO_BASE_URL says where it lies.
releases=''

binary=/usr/local/bin/diplo
data=/var/lib/diplo
units=/etc/systemd/system

usage() {
  cat <<'TEXT'
Usage: install.sh [--yes] | --try | --uninstall [--purge] [--yes]

  --yes        install the container engine without asking; with --purge, delete without asking
  --try        from a checkout: run Diplo in the foreground on throwaway data, with a sample app; Ctrl-C removes all
  --uninstall  remove Diplo; keeps /var/lib/diplo and the volumes of the apps
  --purge      with --uninstall: remove those too

Environment: DIPLO_BASE_URL   directory with diplo-linux-x64, diplo-linux-arm64 and SHA256SUMS
TEXT
}

say() { echo "diplo: $*"; }
fail() { echo "diplo: $*" >&2; exit 1; }
misuse() { echo "install.sh: $*" >&2; usage >&2; exit 2; }

# ── what was done, so that it can be undone ──

# Each line of $undo is a function and its arguments (our own words and paths, no spaces); the last done is undone first.
undo=''
done_so_far() { undo="$*
$undo"; }

finish() {
  status=$?
  trap - EXIT INT TERM HUP
  if [ "$status" != 0 ] && [ -n "$undo" ]; then
    echo "diplo: putting everything back as it was" >&2
    set +e
    echo "$undo" | while read -r line; do
      # shellcheck disable=SC2086 # words of our own
      [ -z "$line" ] || $line >/dev/null 2>&1
    done
  fi
  rm -rf "${work:-}"
  exit "$status"
}

restore_file() { if [ -e "$work/before/$1" ]; then cp -p "$work/before/$1" "$2.back" && mv -f "$2.back" "$2"; else rm -f "$2"; fi; }
restore_services() {
  systemctl daemon-reload
  if [ -n "$ran_before" ]; then systemctl restart diplo-proxy diplo; fi
}
remove_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get purge -q -y "$@"
  # What the engine's packages leave behind.
  for path in $absent_before; do rm -rf "$path"; done
  for group in $(group_names | comm -13 "$work/groups-before" -); do groupdel "$group"; done
  [ -n "$bridge_before" ] || ip link delete docker0
}

# ── before anything is touched ──

architecture() {
  # A 64-bit kernel may carry a 32-bit system (older Raspberry Pi images): the system decides.
  [ "$(getconf LONG_BIT)" = 64 ] || fail "this is a 32-bit system; Diplo needs a 64-bit one"
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fail "no executable for $(uname -m); there are x86_64 and aarch64" ;;
  esac
}

# The directory of the checkout this script lies in; nothing when it came through a pipe.
checkout() {
  [ -f "$0" ] || return 0
  directory=$(cd "$(dirname "$0")" && pwd)
  if [ -f "$directory/src/main.ts" ] && [ -f "$directory/package.json" ]; then echo "$directory"; fi
}

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); Diplo runs on Linux"
  [ "$(id -u)" = 0 ] || fail "please run as root (sudo sh install.sh); ./install.sh --try works without"
  [ -d /run/systemd/system ] || fail "systemd does not run here; \`diplo serve\` works without, under any supervisor"
  for name in diplo diplo-proxy; do
    uid=$(id -u "$name" 2>/dev/null) || continue
    [ "$uid" -lt 1000 ] || fail "a person's user is named \"$name\"; Diplo needs that name for itself"
  done
}

# ── the executable ──

fetch() {
  if command -v curl >/dev/null; then
    curl -fsSL --retry 3 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -O "$2" "$1"
  else
    fail "neither curl nor wget is here"
  fi || fail "cannot download $1"
}

download() {
  base=${DIPLO_BASE_URL:-$releases}
  [ -n "$base" ] || fail "no release is published yet: set DIPLO_BASE_URL, or install from a checkout"
  name=diplo-linux-$(architecture)
  say "downloading $name"
  fetch "${base%/}/SHA256SUMS" "$work/SHA256SUMS"
  fetch "${base%/}/$name" "$work/$name"
  sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\$/\1  $name/p" "$work/SHA256SUMS" >"$work/wanted"
  [ "$(wc -l <"$work/wanted")" = 1 ] || fail "SHA256SUMS does not list $name"
  (cd "$work" && sha256sum --status -c wanted) || fail "$name is damaged: its SHA-256 is not the one in SHA256SUMS"
  mv "$work/$name" "$work/diplo"
}

build() {
  command -v npm >/dev/null || fail "building needs Node.js 20 or newer with npm"
  say "building"
  (cd "$1" && npm run --silent build) >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "the build failed"; }
  cp "$1/dist/diplo" "$work/diplo"
}

obtain() {
  from=$(checkout)
  if [ -n "$from" ] && [ -z "${DIPLO_BASE_URL:-}" ]; then build "$from"; else download; fi
  chmod 755 "$work/diplo"
  "$work/diplo" version >"$work/version" || fail "the executable does not run on this machine"
}

# ── the engine ──

agreed() {
  [ -z "$yes" ] || return 0
  # The script itself may be on stdin.
  if ! (: </dev/tty) 2>/dev/null; then fail "$1 Run again with --yes to agree."; fi
  printf '%s [Y/n] ' "$1" >/dev/tty
  read -r answer </dev/tty
  case $answer in '' | [yY]*) ;; *) fail "nothing was changed" ;; esac
}

install_engine() {
  missing=''
  for pair in dockerd:docker.io git:git ssh-agent:openssh-client iptables:iptables; do
    command -v "${pair%%:*}" >/dev/null || [ -x "/usr/sbin/${pair%%:*}" ] || missing="$missing ${pair##*:}"
  done
  if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || fail "please install first:$missing"
    agreed "Diplo needs$missing from this distribution. Install?"
    install_packages
  fi
  systemctl start docker || fail "the container engine does not start (journalctl -u docker)"
}

group_names() { getent group | cut -d: -f1 | sort; }
installed_packages() { dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort; }

install_packages() {
  say "installing$missing"
  absent_before=''
  for path in /var/lib/docker /var/lib/containerd /etc/docker /etc/cni /etc/containerd /opt/containerd /opt/cni; do
    [ -e "$path" ] || absent_before="$absent_before $path"
  done
  group_names >"$work/groups-before"
  bridge_before=$(ls -d /sys/class/net/docker0 2>/dev/null || true)
  installed_packages >"$work/packages-before"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of packages
  { apt-get update -q && apt-get install -q -y --no-install-recommends $missing ca-certificates; } >"$work/apt.log" 2>&1 || status=$?
  installed_packages >"$work/packages-after"
  added=$(comm -13 "$work/packages-before" "$work/packages-after" | tr '\n' ' ')
  [ -z "$added" ] || done_so_far remove_packages "$added"
  [ "${status:-0}" = 0 ] || { tail -n 20 "$work/apt.log" >&2; fail "apt-get could not install$missing"; }
}

# ── users, directories, files ──

make_user() {
  getent group "$1" >/dev/null || { groupadd --system "$1"; done_so_far groupdel "$1"; }
  getent passwd "$1" >/dev/null || {
    useradd --system --gid "$1" --home-dir "$data" --no-create-home --shell /usr/sbin/nologin --comment "$2" "$1"
    done_so_far userdel "$1"
  }
}

make_users() {
  make_user diplo "Diplo control plane"
  make_user diplo-proxy "Diplo data plane"
  usermod -aG docker,diplo-proxy diplo
}

# Data that an uninstall kept belongs to its users again.
make_directories() {
  [ -d "$data" ] || { mkdir -p "$data"; done_so_far rm -rf "$data"; }
  mkdir -p "$data/proxy/sites"
  if [ "$(stat -c %U "$data")" != diplo ]; then chown -R diplo:diplo "$data"; fi
  if [ "$(stat -c %U "$data/proxy")" != diplo-proxy ]; then chown -R diplo-proxy:diplo-proxy "$data/proxy"; fi
  if [ "$(stat -c %U:%G "$data/proxy/sites")" != diplo:diplo-proxy ]; then chown -R diplo:diplo-proxy "$data/proxy/sites"; fi
  # What is written below it is the data plane's group's.
  chmod 2750 "$data/proxy/sites"
  chmod 0711 "$data"
  chmod 0750 "$data/proxy"
}

# new file, path, mode: replaced as a whole, and only when it differs.
place() {
  ! cmp -s "$1" "$2" || return 0
  name=$(basename "$2")
  [ ! -e "$2" ] || cp -p "$2" "$work/before/$name"
  done_so_far restore_file "$name" "$2"
  install -m "$3" "$1" "$2.new"
  mv -f "$2.new" "$2"
  changed=yes
}

place_files() {
  mkdir -p "$work/before"
  unit_control >"$work/diplo.service"
  unit_proxy >"$work/diplo-proxy.service"
  done_so_far restore_services
  place "$work/diplo" "$binary" 755
  place "$work/diplo.service" "$units/diplo.service" 644
  place "$work/diplo-proxy.service" "$units/diplo-proxy.service" 644
}

start_services() {
  systemctl daemon-reload
  for unit in diplo-proxy diplo; do
    systemctl is-enabled -q "$unit" 2>/dev/null || done_so_far systemctl disable --now "$unit"
    systemctl enable -q "$unit"
    if [ -n "$changed" ]; then systemctl restart "$unit"; else systemctl start "$unit"; fi || explain "$unit"
  done
  await_answer
}

# READY=1 came already; this asks the way a person will.
await_answer() {
  left=30
  until "$binary" apps --json >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || explain diplo
    sleep 1
  done
}

explain() {
  journalctl -u "$1" -n 20 --no-pager -o cat >&2 || true
  fail "$1 did not start"
}

install_diplo() {
  check_machine
  architecture >/dev/null
  obtain
  install_engine
  make_users
  make_directories
  place_files
  start_services
  undo=''
  say "$(cat "$work/version") is running"
  "$binary" login-link
}

# ── and back ──

# What this box made in the engine, and nothing else; the executable knows it by the box's id.
remove_apps() {
  if [ ! -x "$binary" ] || [ ! -e "$data/diplo.db" ]; then return 0; fi
  # shellcheck disable=SC2086 # one word or none
  "$binary" destroy-box --data "$data" --yes $purge || fail "the apps could not be removed; nothing else was"
}

uninstall() {
  check_machine
  [ -z "$purge" ] || agreed "Delete $data and every volume of every app?"
  systemctl disable -q --now diplo diplo-proxy 2>/dev/null || true
  remove_apps
  rm -f "$units/diplo.service" "$units/diplo-proxy.service" "$binary"
  systemctl daemon-reload
  systemctl reset-failed diplo diplo-proxy 2>/dev/null || true
  if [ -n "$purge" ]; then
    rm -rf "$data"
  elif [ -d "$data" ]; then
    # Its users go; nobody else may come to own it by their numbers.
    chown -R root:root "$data"
    chmod 0700 "$data"
    say "kept: $data and the apps' volumes (--uninstall --purge removes them)"
  fi
  for name in diplo diplo-proxy; do
    if getent passwd "$name" >/dev/null; then userdel "$name"; fi
    if getent group "$name" >/dev/null; then groupdel "$name"; fi
  done
  say "removed; the container engine stays"
}

try() {
  from=$(checkout)
  [ -n "$from" ] || fail "--try needs a checkout: git clone the project, then ./install.sh --try"
  exec sh "$from/test/setup/try.sh"
}

# ── the units: the same as systemd/*.service (a test compares them) ──

unit_control() {
  cat <<'UNIT'
[Unit]
Description=Diplo control plane
# Also comes up without an engine, and says so; hence Wants and not Requires.
Wants=network-online.target docker.service diplo-proxy.service
After=network-online.target docker.service diplo-proxy.service
# An appliance never gives up.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/local/bin/diplo serve --proxy-managed
EnvironmentFile=-/etc/default/diplo
Environment=DIPLO_DATA=/var/lib/diplo
# What would make the executable behave as another program.
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN NODE_OPTIONS
User=diplo
Group=diplo
# docker: the engine, which is as good as root. diplo-proxy: the way to proxy.sock.
SupplementaryGroups=docker diplo-proxy
UMask=0077
Restart=always
RestartSec=1
WatchdogSec=30
TimeoutStartSec=120
TimeoutStopSec=60
# git and other children get the same signal only when the stop takes too long.
KillMode=mixed
OOMScoreAdjust=-300
LimitNOFILE=65536

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths=/var/lib/diplo
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: Bun compiles at run time and calls libc directly.

[Install]
WantedBy=multi-user.target
UNIT
}

unit_proxy() {
  cat <<'UNIT'
[Unit]
Description=Diplo data plane
# Serves from its own directory: needs neither the control plane nor the engine.
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/local/bin/diplo proxy
EnvironmentFile=-/etc/default/diplo
Environment=DIPLO_DATA=/var/lib/diplo
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN NODE_OPTIONS
User=diplo-proxy
Group=diplo-proxy
UMask=0077
Restart=always
RestartSec=100ms
WatchdogSec=10
TimeoutStartSec=30
# Requests under way may finish.
TimeoutStopSec=45
KillMode=mixed
OOMScoreAdjust=-600
LimitNOFILE=524288

NoNewPrivileges=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
ProtectSystem=strict
ReadWritePaths=/var/lib/diplo/proxy
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: Bun compiles at run time and calls libc directly.

[Install]
WantedBy=multi-user.target
UNIT
}

main() {
  action=install yes='' purge='' changed='' work=''
  for argument; do
    case $argument in
      --yes | -y) yes=yes ;;
      --try) action=try ;;
      --uninstall) action=uninstall ;;
      --purge) purge=--purge ;;
      --help | -h) usage; exit 0 ;;
      *) misuse "unknown argument \"$argument\"" ;;
    esac
  done
  [ -z "$purge" ] || [ "$action" = uninstall ] || misuse "--purge goes with --uninstall"
  [ "$action" != try ] || try
  work=$(mktemp -d)
  ran_before=$(systemctl is-active diplo 2>/dev/null | grep -x active || true)
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
  if [ "$action" = uninstall ]; then uninstall; else install_diplo; fi
}

# The last line: a download cut short does nothing.
main "$@"
