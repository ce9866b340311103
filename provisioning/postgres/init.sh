#!/bin/sh
# Run once by the Postgres image, on an empty volume: what the exporter reads, and the role it reads as.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv password POSTGRES_PASSWORD
CREATE EXTENSION pg_stat_statements;
CREATE ROLE monitor LOGIN PASSWORD :'password';
GRANT pg_monitor TO monitor;
SQL
