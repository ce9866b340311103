/**
 * What PgBouncer is started with: its two files, in a folder that the account it runs as can read.
 *
 * In:  the URL of the Postgres behind it. Out: the configuration that the Compose file gives to its PgBouncer.
 *
 * Source: PgBouncer 1.18, "Config". It refuses to run as root, as Postgres does.
 */
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serviceAccount } from "./service-account.ts";

/** @returns the path of its configuration */
export function preparePgbouncer(folder: string, port: number, databaseUrl: string): string {
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl);
  const database = pathname.slice(1);
  const userFile = join(folder, "users.txt");
  const configFile = join(folder, "pgbouncer.ini");
  const config = `[databases]
${database} = host=${hostname} port=${serverPort} dbname=${database}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${userFile}
stats_users = ${username}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
; Drivers written in Go send it, that of the exporter among them.
ignore_startup_parameters = extra_float_digits
`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(userFile, `"${username}" "${decodeURIComponent(password)}"\n`, { mode: 0o600 });
  writeFileSync(configFile, config, { mode: 0o600 });
  const account = serviceAccount();
  if (account) {
    for (const path of [folder, userFile, configFile]) {
      chownSync(path, account.uid, account.gid);
    }
  }
  return configFile;
}
