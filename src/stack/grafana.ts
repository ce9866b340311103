/**
 * What a native Grafana is started with: the data source, dashboards and alerts that the Compose file mounts, with the
 * addresses and folders of this machine in their place.
 *
 * Source: Grafana, "Provision Grafana" and "Configure Grafana" (GF_<SECTION>_<KEY> variables).
 */
import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { packagedFile } from "./packaged-files.ts";

export interface GrafanaOptions {
  /** Holds its database, password and provisioning. Made where it is missing. */
  readonly folder: string;
  readonly port: number;
  readonly prometheusUrl: string;
  /** Of that Prometheus, e.g. `5s`: no panel asks for a shorter step. */
  readonly scrapeInterval: string;
}

/** Of the package's files, what is changed; the rest of each object stays as it is. */
const datasourcesFile = z.looseObject({
  datasources: z.array(z.looseObject({ uid: z.string(), jsonData: z.looseObject({}) })),
});
const providersFile = z.looseObject({ providers: z.array(z.looseObject({})) });

/** Writes what Grafana is to read. @returns its variables, the administrator's password among them */
export function prepareGrafana({
  folder,
  port,
  prometheusUrl,
  scrapeInterval,
}: GrafanaOptions): Record<string, string> {
  const provisioning = join(folder, "provisioning");
  rmSync(provisioning, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(packagedFile("provisioning/grafana"), provisioning, { recursive: true });
  rewrite(join(provisioning, "datasources", "prometheus.yml"), (text) => {
    const { datasources, ...rest } = datasourcesFile.parse(parse(text));
    // The other data sources are the containers of Compose profiles.
    const own = datasources.filter(({ uid }) => uid === "prometheus");
    return {
      ...rest,
      datasources: own.map((one) => ({
        ...one,
        url: prometheusUrl,
        jsonData: { ...one.jsonData, timeInterval: scrapeInterval },
      })),
    };
  });
  rewrite(join(provisioning, "dashboards", "plimsoll.yml"), (text) => {
    const { providers, ...rest } = providersFile.parse(parse(text));
    const options = { path: packagedFile("dashboards") };
    return { ...rest, providers: providers.map((one) => ({ ...one, options })) };
  });
  return {
    GF_PATHS_DATA: join(folder, "data"),
    GF_PATHS_LOGS: join(folder, "data", "log"),
    GF_PATHS_PLUGINS: join(folder, "data", "plugins"),
    GF_PATHS_PROVISIONING: provisioning,
    GF_SERVER_HTTP_ADDR: "127.0.0.1",
    GF_SERVER_HTTP_PORT: String(port),
    GF_SECURITY_ADMIN_PASSWORD: readFileSync(ensurePassword(folder), "utf8").trim(),
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: packagedFile("dashboards/runs.json"),
    // A live run is watched at the rate of its points.
    GF_DASHBOARDS_MIN_REFRESH_INTERVAL: "1s",
  };
}

/** Holds the password of `admin`, for its owner alone. */
export function grafanaPasswordFile(folder: string): string {
  return join(folder, "password");
}

/** Packages put its files here, and the program beside them or into /usr/sbin. */
const usualHome = "/usr/share/grafana";

/** The folder with Grafana's own files: an archive has the program in `bin` below it, Homebrew in `bin` beside `share`. */
export function grafanaHome(program: string): string {
  const prefix = dirname(dirname(realpathSync(program)));
  const homes = [prefix, join(prefix, "share/grafana")];
  return homes.find((home) => existsSync(join(home, "conf/defaults.ini"))) ?? usualHome;
}

function rewrite(file: string, change: (text: string) => object): void {
  writeFileSync(file, stringify(change(readFileSync(file, "utf8"))));
}

/** Random, made once: Grafana sets it when it makes its database. */
function ensurePassword(folder: string): string {
  const file = grafanaPasswordFile(folder);
  if (!existsSync(file)) {
    writeFileSync(file, `${randomBytes(18).toString("base64url")}\n`, { mode: 0o600 });
  }
  return file;
}
