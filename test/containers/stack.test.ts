/**
 * docker-compose.yml, started for real: what it scrapes, what a run leaves in it, what a restart leaves of that.
 *
 * Its images are stand-ins made of Debian's programs (scripts/container-images.mjs). Grafana is not among them.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { compose, describeWithEngine, type ComposeResult } from "../support/containers.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { createQueryApi } from "../support/query-api.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";

/** Those of the stack without Grafana, which no package brings. */
const services = [
  "node-exporter",
  "pgbouncer",
  "pgbouncer-exporter",
  "postgres",
  "postgres-exporter",
  "prometheus",
  "shop",
];

/** The programs start in seconds; a machine with other work to do takes its time. */
const readiness = { timeout: 90_000, interval: 500 };

const recorded = fileURLToPath(new URL("../golden/k6/v2.2.0.jsonl", import.meta.url));

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return String(address.port);
}

describeWithEngine("the Compose stack", (dockerHost) => {
  const project = `plimsoll-test-${randomBytes(4).toString("hex")}`;
  let ports: Readonly<Record<string, string>>;
  let prometheusUrl: string;
  let shopUrl: string;

  const onStack = async (...args: string[]): Promise<ComposeResult> => {
    const result = await compose(["--project-name", project, ...args], { dockerHost, env: ports });
    expect(result.exitCode, `compose ${args.join(" ")}:\n${result.stderr}`).toBe(0);
    return result;
  };
  const up = () => onStack("up", "--detach", "--pull=never", "--no-build", ...services);
  const query = (promql: string) => createQueryApi(prometheusUrl).query(promql);

  const activeTargets = async (): Promise<readonly Target[]> => {
    const response = await fetch(`${prometheusUrl}/api/v1/targets?state=active`);
    const { data }: { data: { activeTargets: readonly Target[] } } = await response.json() as never;
    return data.activeTargets;
  };
  /** Every target but that of a generator on the host, of which there is none. */
  const expectAllUp = () =>
    vi.waitFor(async () => {
      const targets = await activeTargets();
      const stack = targets.filter(({ labels }) => labels["instance"] !== "docker-host:9464");
      expect(stack.map(({ labels }) => labels["job"]).toSorted()).toEqual([
        "node",
        "pgbouncer",
        "postgres",
        "prometheus",
        "shop",
      ]);
      const down = stack.filter(({ health }) => health !== "up");
      expect(down.map(({ labels, lastError }) => `${labels["job"]}: ${lastError}`)).toEqual([]);
    }, readiness);

  beforeAll(async () => {
    const [prometheus, shop, grafana, nodeExporter] = await Promise.all(
      Array.from({ length: 4 }, freePort),
    );
    ports = {
      PROMETHEUS_PORT: prometheus ?? "",
      SHOP_PORT: shop ?? "",
      GRAFANA_PORT: grafana ?? "",
    };
    prometheusUrl = `http://127.0.0.1:${prometheus}`;
    shopUrl = `http://127.0.0.1:${shop}`;
    await up();
  }, 180_000);

  afterAll(async () => {
    await onStack("--profile=*", "down", "--volumes", "--remove-orphans");
  }, 120_000);

  it("scrapes every service", async () => {
    await expectAllUp();
  });

  it("measures the host, the shop's pool, Postgres and PgBouncer", async () => {
    await expectAllUp();
    await vi.waitFor(async () => {
      for (const promql of [
        'sum(node_memory_MemAvailable_bytes)',
        'db_client_connection_max{db_client_connection_pool_name="shop"} == 10',
        'pg_stat_activity_count{datname="shop", usename="shop", state="idle"} > 0',
        'sum(pg_stat_statements_calls_total{datname="shop"})',
        'pgbouncer_pools_server_idle_connections{database="shop"} > 0',
        // Both forms of one histogram.
        'histogram_count(prometheus_http_request_duration_seconds{handler="/api/v1/targets"}) > 0',
        'prometheus_http_request_duration_seconds_bucket{handler="/api/v1/targets", le="+Inf"} > 0',
      ]) {
        expect((await query(promql)).length, promql).toBeGreaterThan(0);
      }
    }, readiness);
  });
});
