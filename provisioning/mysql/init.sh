#!/bin/sh
# Run once by the MySQL image, on an empty volume: the role that the exporter reads as.
set -eu
MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql --user=root <<SQL
CREATE USER 'monitor'@'%' IDENTIFIED BY '$MYSQL_PASSWORD' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO 'monitor'@'%';
SQL
