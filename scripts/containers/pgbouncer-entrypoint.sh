#!/bin/sh
# What the image "edoburu/pgbouncer" does at its start, as far as docker-compose.yml makes use of it. Debian's PgBouncer
# is older than MAX_PREPARED_STATEMENTS.
set -eu
cat >/tmp/pgbouncer.ini <<INI
[databases]
* = host=$DB_HOST port=5432 auth_user=$DB_USER
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 5432
auth_file = /tmp/userlist.txt
auth_type = $AUTH_TYPE
pool_mode = $POOL_MODE
max_client_conn = $MAX_CLIENT_CONN
default_pool_size = $DEFAULT_POOL_SIZE
ignore_startup_parameters = $IGNORE_STARTUP_PARAMETERS
stats_users = $STATS_USERS
unix_socket_dir =
INI
printf '"%s" "%s"\n' "$DB_USER" "$DB_PASSWORD" >/tmp/userlist.txt
exec /usr/sbin/pgbouncer /tmp/pgbouncer.ini
