#!/bin/sh
# As the official image does: templates are filled in from the environment, then nginx runs.
set -e
for template in /etc/nginx/templates/*.template; do
  [ -f "$template" ] || continue
  names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
  # shellcheck disable=SC2094 # basename reads no file
  envsubst "$names" <"$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
done
for script in /docker-entrypoint.d/*.sh; do
  if [ -x "$script" ]; then "$script"; fi
done
exec "$@"
