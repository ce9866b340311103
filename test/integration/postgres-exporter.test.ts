/**
 * The dashboards ask for the names and labels of postgres_exporter 0.12 and later. Debian's 0.11.1 has them with
 * provisioning/postgres/queries.yaml; a later one has them by itself.
 */
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterEach, expect, it, vi } from "vitest";
import { startServerProcess } from "../support/child-process.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { describeWithTool } from "../support/tools.ts";

const queries = fileURLToPath(new URL("../../provisioning/postgres/queries.yaml", import.meta.url));

/** A series as an exporter prints it: its name, its labels, its value. */
interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const labelsOf = {
  pg_stat_activity_count: [
    "application_name",
    "backend_type",
    "datname",
    "state",
    "usename",
    "wait_event",
    "wait_event_type",
  ],
  pg_stat_activity_max_tx_duration: [
    "application_name",
    "backend_type",
    "datname",
    "state",
    "usename",
    "wait_event",
    "wait_event_type",
  ],
  pg_stat_statements_calls_total: ["datname", "queryid", "user"],
  pg_stat_statements_seconds_total: ["datname", "queryid", "user"],
  pg_stat_statements_rows_total: ["datname", "queryid", "user"],
  pg_locks_count: ["datname", "mode"],
  pg_settings_max_connections: [],
  pg_stat_database_numbackends: ["datid", "datname"],
  pg_stat_database_xact_commit: ["datid", "datname"],
  pg_stat_database_blks_hit: ["datid", "datname"],
  pg_stat_database_blks_read: ["datid", "datname"],
  pg_stat_database_deadlocks: ["datid", "datname"],
  pg_stat_database_temp_bytes: ["datid", "datname"],
  pg_up: [],
} as const;

describeWithPostgres("postgres_exporter", (postgres) => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  for (const [tool, flag] of [
    ["postgres-exporter", "--collector.stat_statements"],
    ["postgres-exporter-debian", `--extend.query-path=${queries}`],
  ] as const) {
    describeWithTool(tool, tool, (program) => {
      it("has the names and labels of the dashboards, with what a session waits for", async () => {
        const { url } = postgres();
        const session = new Client({ connectionString: url, application_name: "sleeper" });
        const other = new Client({ connectionString: url });
        await Promise.all([session.connect(), other.connect()]);
        await session.query("SELECT count(*) FROM pg_class");
        const slept = session.query("SELECT pg_sleep(60)").catch(() => undefined);
        vi.stubEnv("DATA_SOURCE_NAME", `${url}?sslmode=disable`);
        await using exporter = await startServerProcess({
          program,
          args: (port) => [`--web.listen-address=127.0.0.1:${port}`, flag],
          readyPath: "/metrics",
        });
        const series = await vi.waitFor(
          async () => {
            const all = parseMetrics(await (await fetch(`${exporter.url}/metrics`)).text());
            const waiting = all.find(
              ({ name, labels }) =>
                name === "pg_stat_activity_count" && labels["application_name"] === "sleeper",
            );
            expect(waiting).toMatchObject({
              value: 1,
              labels: {
                datname: "shop",
                state: "active",
                usename: "shop",
                backend_type: "client backend",
                wait_event_type: "Timeout",
                wait_event: "PgSleep",
              },
            });
            return all;
          },
          { timeout: 20_000, interval: 200 },
        );
        for (const [name, labels] of Object.entries(labelsOf)) {
          const [first] = series.filter((one) => one.name === name);
          // Some collectors of the exporter name the server, others do not.
          const names = Object.keys(first?.labels ?? { missing: "" });
          expect(names.filter((label) => label !== "server").sort(), name).toEqual(labels);
        }
        await other.query(
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'sleeper'",
        );
        await slept;
        await Promise.all([session.end(), other.end()]);
      });
    });
  }
});

/** Source: Prometheus, "Exposition formats": the text format. No label here has an escaped character. */
function parseMetrics(text: string): Series[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = "", list = "", value]) => ({
      name,
      labels: Object.fromEntries(
        [...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", content = ""]) => [
          label,
          content,
        ]),
      ),
      value: Number(value),
    }),
  );
}
