# shellcheck shell=sh disable=SC2154
# One function per image. Read by build.sh, which provides $work, $here, quiet, fail.
# Versions are pinned here: the same images everywhere, until someone changes a line.

npm_for() { case $1 in 20 | 22) echo 10.9.9 ;; *) echo 11.21.2 ;; esac; }
node_version() { case $1 in 20) echo 20.20.2 ;; 22) echo 22.23.3 ;; 24) echo 24.21.0 ;; 26) echo 26.10.0 ;; *) fail "no recipe for Node $1" ;; esac; }
bun_version() { sed -n 's/^ *"bun": "\([0-9][0-9.]*\)",*$/\1/p' "$here/../../package.json"; }
node_arch() { case $(uname -m) in x86_64) echo x64 ;; aarch64) echo arm64 ;; *) fail "unknown architecture $(uname -m)" ;; esac; }
bun_arch() { case $(uname -m) in x86_64) echo x64 ;; *) echo aarch64 ;; esac; }

# The mirror this machine itself uses; the public one where it says nothing.
mirror() {
  found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n -e 's/^URIs: *\(http[^ ]*\/debian\)\/\{0,1\} *$/\1/p' \
      -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\/debian\)\/\{0,1\} .*/\2/p' | head -n 1)
  echo "${found:-http://deb.debian.org/debian}"
}

# package@version from npm, unpacked into a directory.
unpack() {
  mkdir -p "$2"
  (cd "$work" && npm pack --silent "$1") >"$work/packed" 2>>"$work/log" || fail "npm does not provide $1"
  tar -xzf "$work/$(tail -n 1 "$work/packed")" -C "$2" --strip-components=1
  rm "$work/$(tail -n 1 "$work/packed")"
}

# base, new tag, directory of files to add; the script on stdin runs in it as root; the rest are docker commit's --change.
# A stop signal is no such change, so it comes as $stop_signal.
layer() {
  base=$1 tag=$2 files=$3
  shift 3
  cat >"$work/script"
  container=$(docker create -i --stop-signal "${stop_signal:-SIGTERM}" "$base" sh -eu)
  tar -C "$files" --owner=0 --group=0 -c . | quiet docker cp - "$container:/"
  quiet docker start -ai "$container" <"$work/script" || fail "$tag: its script failed"
  for change; do
    set -- "$@" --change "$change"
    shift
  done
  quiet docker commit "$@" "$container" "$tag"
  docker rm "$container" >/dev/null
  container=
  rm -rf "$files"
}

# What package managers inside builds need so that they trust what this machine trusts.
trust="ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
PIP_CERT=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt"
path="ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

make_debian() {
  [ "$(id -u)" = 0 ] || fail "making base images takes root (debootstrap); run this once as root: sh test/images/build.sh"
  PATH=$PATH:/usr/sbin:/sbin command -v debootstrap >/dev/null || fail "debootstrap is missing"
  root=$work/debian
  quiet env PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$(mirror)"
  slim "$root"
  apt_like_here "$root"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  tar -C "$root" --exclude ./dev/\* --exclude ./proc/\* --exclude ./sys/\* -c . |
    quiet docker import --change "$trust" --change "$path" --change 'CMD ["bash"]' - debian:bookworm-slim
  rm -rf "$root"
}

# As the official slim image does: no lists, packages, manuals or translations.
slim() {
  rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/usr/share/doc/* "$1"/usr/share/man/* \
    "$1"/usr/share/locale/* "$1"/usr/share/info/*
  cat >"$1/etc/dpkg/dpkg.cfg.d/slim" <<'SLIM'
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/info/*
SLIM
  printf 'Acquire::Languages "none";\nAPT::Install-Recommends "0";\n' >"$1/etc/apt/apt.conf.d/slim"
}

# A Dockerfile's apt-get has to reach the mirror that this machine reaches, by the same way.
apt_like_here() {
  grep -ls '^ *Acquire::' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null | while read -r file; do
    grep -E '^ *Acquire::(http|https|Check|ForceIPv4|Retries|Proxy)[^{]*;' "$file" || true
  done >"$1/etc/apt/apt.conf.d/here"
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$(mirror)" "$(mirror)" >"$1/etc/apt/sources.list"
}

make_busybox() {
  files=$work/busybox
  mkdir -p "$files/deb"
  (cd "$files/deb" && quiet apt-get download busybox-static) || fail "busybox-static cannot be downloaded"
  dpkg-deb -x "$files"/deb/*.deb "$files/root"
  mkdir -p "$files/root/tmp" "$files/root/root" "$files/root/etc" "$files/root/var/www"
  mv "$files/root/bin/busybox" "$files/busybox"
  rm -rf "$files/root/usr" "$files/root/bin"
  mkdir -p "$files/root/bin" "$files/root/usr/bin" "$files/root/sbin"
  mv "$files/busybox" "$files/root/bin/busybox"
  for name in $("$files/root/bin/busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$files/root/bin/$name"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' >"$files/root/etc/passwd"
  printf 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n' >"$files/root/etc/group"
  chmod 1777 "$files/root/tmp"
  tar -C "$files/root" --owner=0 --group=0 -c . | quiet docker import --change "$path" --change 'CMD ["sh"]' - busybox:1.36
  rm -rf "$files"
}

make_node() {
  files=$work/node
  modules=$files/usr/local/lib/node_modules
  unpack "node-linux-$(node_arch)@$(node_version "$1")" "$work/node-package"
  mkdir -p "$files/usr/local/bin" "$modules"
  mv "$work/node-package/bin/node" "$files/usr/local/bin/node"
  [ ! -d "$work/node-package/include" ] || mv "$work/node-package/include" "$files/usr/local/include"
  rm -rf "$work/node-package"
  unpack "npm@$(npm_for "$1")" "$modules/npm"
  unpack corepack@0.34.7 "$modules/corepack"
  unpack yarn@1.22.22 "$files/opt/yarn-v1.22.22"
  cp "$here/node-entrypoint.sh" "$files/usr/local/bin/docker-entrypoint.sh"
  chmod 755 "$files/usr/local/bin/docker-entrypoint.sh" "$files/usr/local/bin/node"
  layer debian:bookworm-slim "node:$1-bookworm-slim" "$files" "$trust" "ENV NODE_VERSION=$(node_version "$1") YARN_VERSION=1.22.22" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["node"]' <<'SCRIPT'
groupadd --gid 1000 node
useradd --uid 1000 --gid node --shell /bin/bash --create-home node
# Node needs it since 25; the slim base has none.
apt-get update -q && apt-get install -q -y --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*
cd /usr/local/bin
ln -s node nodejs
ln -s ../lib/node_modules/npm/bin/npm-cli.js npm
ln -s ../lib/node_modules/npm/bin/npx-cli.js npx
ln -s ../lib/node_modules/corepack/dist/corepack.js corepack
ln -s /opt/yarn-v1.22.22/bin/yarn yarn
ln -s /opt/yarn-v1.22.22/bin/yarnpkg yarnpkg
chmod 755 ../lib/node_modules/npm/bin/*-cli.js ../lib/node_modules/corepack/dist/*.js /opt/yarn-v1.22.22/bin/*
node --version && npm --version && yarn --version && corepack --version
rm -rf /root/.npm /root/.cache /tmp/*
SCRIPT
}

make_bun() {
  files=$work/bun
  unpack "@oven/bun-linux-$(bun_arch)@$(bun_version)" "$work/bun-package"
  mkdir -p "$files/usr/local/bin"
  mv "$work/bun-package/bin/bun" "$files/usr/local/bin/bun"
  rm -rf "$work/bun-package"
  cp "$here/bun-entrypoint.sh" "$files/usr/local/bin/docker-entrypoint.sh"
  chmod 755 "$files"/usr/local/bin/*
  layer debian:bookworm-slim oven/bun:1-slim "$files" "$trust" 'WORKDIR /home/bun/app' \
    'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]' 'CMD ["/usr/local/bin/bun"]' <<'SCRIPT'
groupadd --gid 1000 bun
useradd --uid 1000 --gid bun --shell /bin/sh --create-home bun
mkdir -p /home/bun/app && chown bun:bun /home/bun/app
ln -s bun /usr/local/bin/bunx
mkdir -p /usr/local/bun-node-fallback-bin && ln -s /usr/local/bin/bun /usr/local/bun-node-fallback-bin/node
bun --version
SCRIPT
  docker tag oven/bun:1-slim oven/bun:1
  echo oven/bun:1
}

make_nginx() {
  files=$work/nginx
  mkdir -p "$files/etc/nginx/conf.d" "$files/usr/share/nginx/html" "$files/docker-entrypoint.d"
  cp "$here/nginx.conf" "$files/etc/nginx/nginx.conf"
  cp "$here/nginx-default.conf" "$files/etc/nginx/conf.d/default.conf"
  cp "$here/nginx-entrypoint.sh" "$files/docker-entrypoint.sh"
  chmod 755 "$files/docker-entrypoint.sh"
  stop_signal=SIGQUIT layer debian:bookworm-slim nginx:1.28-bookworm "$files" "$trust" 'ENTRYPOINT ["/docker-entrypoint.sh"]' \
    'EXPOSE 80' 'CMD ["nginx","-g","daemon off;"]' <<'SCRIPT'
groupadd --system --gid 101 nginx
useradd --system --gid nginx --no-create-home --home-dir /nonexistent --shell /bin/false --uid 101 nginx
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y -o Dpkg::Options::=--force-confold nginx-light gettext-base
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/nginx/sites-* /etc/nginx/snippets /etc/nginx/modules-enabled/* /var/www/html
[ -e /usr/share/nginx/html/index.html ] || echo '<!doctype html><title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>' >/usr/share/nginx/html/index.html
mkdir -p /var/cache/nginx /var/log/nginx
chown nginx:nginx /var/cache/nginx
ln -sf /dev/stdout /var/log/nginx/access.log
ln -sf /dev/stderr /var/log/nginx/error.log
nginx -t
SCRIPT
}

# A machine as the Debian 12 installer leaves it, near enough: systemd as PID 1, network tools, curl; no engine.
make_systemd() {
  files=$work/systemd
  mkdir -p "$files"
  stop_signal=SIGRTMIN+3 layer debian:bookworm-slim diplo-test/systemd:bookworm "$files" "$trust" 'ENV container=docker' \
    'CMD ["/lib/systemd/systemd"]' <<'SCRIPT'
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y systemd systemd-sysv dbus iproute2 iptables procps curl git kmod sudo adduser less
rm -rf /var/lib/apt/lists/* /var/cache/apt/*
: >/etc/machine-id
rm -f /lib/systemd/system/multi-user.target.wants/getty.target
systemctl mask systemd-udevd.service systemd-udev-trigger.service systemd-logind.service getty.target \
  systemd-resolved.service apt-daily.timer apt-daily-upgrade.timer dev-hugepages.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount
SCRIPT
}
