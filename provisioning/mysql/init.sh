#!/bin/sh
# Run once by the MySQL image, on an empty volume: the role that the exporter reads as.
set -eu
mysql --user=root --password="$MYSQL_ROOT_PASSWORD" <<SQL
CREATE USER 'monitor'@'%' IDENTIFIED BY '$MYSQL_PASSWORD' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO 'monitor'@'%';
SQL
