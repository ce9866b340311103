#!/bin/sh
# What the image "postgres" does at its start, as far as docker-compose.yml makes use of it.
set -eu
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
  printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata="$data" --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  # shared_preload_libraries and the like are arguments; the scripts need them, and nobody else a server on TCP yet.
  shift
  pg_ctl --pgdata="$data" --wait --options="$* -c listen_addresses=''" start
  [ "$POSTGRES_DB" = postgres ] || createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*; do [ ! -x "$script" ] || "$script"; done
  pg_ctl --pgdata="$data" --wait stop
  set -- postgres "$@"
fi
exec "$@" -D "$data" -c listen_addresses='*'
