#!/bin/sh
# Images of the languages for `npm run test:buildpacks`: pulled where a registry answers, else made of what Debian and
# this machine have. sh test/buildpacks/images.sh [image…]; prints what it cannot make and goes on.
# What is made here keeps the paths of the official images, so that the same Dockerfiles build here and in the field.
set -eu

apt='apt-get update -q && apt-get install -q -y --no-install-recommends'
clean='rm -rf /var/lib/apt/lists/*'
all="python:3.11-bookworm python:3.11-slim-bookworm golang:1.26-bookworm rust:1-bookworm maven:3-eclipse-temurin-17
  eclipse-temurin:17-jre ruby:3.1-bookworm ruby:3.1-slim-bookworm python:3.14-slim-bookworm composer:2
  php:8.2-apache-bookworm elixir:1.14-slim"

have() { docker image inspect "$1" >/dev/null 2>&1; }
# The client that goes with the engine; an older one in the path may know no BuildKit.
engine=/usr/bin/docker
[ -x "$engine" ] || engine=$(command -v docker)
# tag, directory; the Dockerfile comes on stdin.
make() { DOCKER_BUILDKIT=1 "$engine" build -q -t "$1" -f - "$2" >/dev/null; }

recipe() {
  empty=$work/empty
  mkdir -p "$empty"
  case $1 in
    python:3.11-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt python3 python3-venv python3-pip python3-dev gcc g++ make pkg-config && $clean
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3 && ln -s /usr/bin/pip3 /usr/local/bin/pip
DOCKERFILE
      ;;
    python:3.11-slim-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt python3 && $clean && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
DOCKERFILE
      ;;
    golang:1.26-bookworm) make "$1" "$(go env GOROOT)" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt git gcc libc6-dev pkg-config && $clean
COPY . /usr/local/go
ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DOCKERFILE
      ;;
    rust:1-bookworm) make "$1" "$(rustc --print sysroot)" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt git gcc libc6-dev pkg-config libssl-dev && $clean
COPY bin /usr/local/bin
COPY lib /usr/local/lib
ENV CARGO_HOME=/usr/local/cargo
DOCKERFILE
      ;;
    maven:3-eclipse-temurin-17)
      # Java trusts what this machine's Java trusts.
      mkdir -p "$work/java/certs"
      [ ! -e /etc/ssl/certs/java/cacerts ] || cp -L /etc/ssl/certs/java/cacerts "$work/java/certs/"
      make "$1" "$work/java" <<DOCKERFILE
FROM debian:bookworm-slim
RUN mkdir -p /usr/share/man/man1 && $apt openjdk-17-jdk-headless maven ca-certificates-java && $clean
COPY certs /etc/ssl/certs/java
DOCKERFILE
      ;;
    eclipse-temurin:17-jre) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN mkdir -p /usr/share/man/man1 && $apt openjdk-17-jre-headless && $clean
DOCKERFILE
      ;;
    ruby:3.1-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt ruby ruby-dev bundler gcc g++ make git && $clean
ENV GEM_HOME=/usr/local/bundle BUNDLE_APP_CONFIG=/usr/local/bundle PATH=/usr/local/bundle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DOCKERFILE
      ;;
    ruby:3.1-slim-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt ruby bundler && $clean
ENV GEM_HOME=/usr/local/bundle BUNDLE_APP_CONFIG=/usr/local/bundle PATH=/usr/local/bundle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DOCKERFILE
      ;;
    composer:2) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt composer php-cli php-zip unzip git && $clean
DOCKERFILE
      ;;
    php:8.2-apache-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt apache2 libapache2-mod-php8.2 && $clean && mkdir -p /var/run/apache2 && chmod 1777 /var/run/apache2 /var/log/apache2
RUN sed -ri 's/^export ([^=]+)=(.*)\$/: \${\1:=\2}\\nexport \1/' /etc/apache2/envvars
RUN printf '%s\\n' '#!/bin/sh' '. /etc/apache2/envvars' 'exec apache2 -DFOREGROUND' > /usr/local/bin/apache2-foreground && chmod 755 /usr/local/bin/apache2-foreground
RUN ln -sfT /dev/stderr /var/log/apache2/error.log && ln -sfT /dev/stdout /var/log/apache2/access.log && ln -sfT /dev/stdout /var/log/apache2/other_vhosts_access.log
STOPSIGNAL SIGWINCH
CMD ["apache2-foreground"]
DOCKERFILE
      ;;
    elixir:1.14-slim) make "$1" "$empty" <<DOCKERFILE
FROM debian:bookworm-slim
RUN $apt elixir erlang-dev erlang-nox && $clean
DOCKERFILE
      ;;
    # Debian's Python stands in for a newer one: enough for the generators of sites.
    python:3.14-slim-bookworm) make "$1" "$empty" <<DOCKERFILE
FROM python:3.11-bookworm
DOCKERFILE
      ;;
    *) echo "images: no recipe for $1" >&2; return 1 ;;
  esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # a list of tags
[ $# -gt 0 ] || set -- $all
for image; do
  have "$image" && continue
  timeout 20 docker pull -q "$image" >/dev/null 2>&1 && continue
  echo "images: making $image" >&2
  recipe "$image" || echo "images: $image could not be made" >&2
done
