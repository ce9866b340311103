/**
 * docker-compose.yml, started for real: what it scrapes, what a run leaves in it, what a restart leaves of that.
 *
 * Its images are stand-ins made of Debian's programs (scripts/container-images.mjs). Grafana is not among them.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { findFreePort } from "../../src/free-port.ts";
import { compose, describeWithEngine, type ComposeResult } from "../support/containers.ts";
import { oldRunRequests, writeOldRun } from "../support/old-run.ts";
import { runPlimsoll, words } from "../support/plimsoll.ts";
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

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

describeWithEngine("the Compose stack", (dockerHost) => {
  const project = `plimsoll-test-${randomBytes(4).toString("hex")}`;
  let env: Readonly<Record<string, string>>;
  let prometheusUrl: string;

  const onStack = async (...args: string[]): Promise<ComposeResult> => {
    const result = await compose(["--project-name", project, ...args], { dockerHost, env });
    expect(result.exitCode, `compose ${args.join(" ")}:\n${result.stderr}`).toBe(0);
    return result;
  };
  const up = () => onStack("up", "--detach", "--pull=never", "--no-build", ...services);
  const query = (promql: string, timeSeconds?: number) =>
    createQueryApi(prometheusUrl).query(promql, timeSeconds);
  const inPostgres = async (sql: string): Promise<string> => {
    const psql = ["psql", "--username=shop", "--dbname=shop", "--no-align", "--tuples-only"];
    return (await onStack("exec", "-T", "postgres", ...psql, `--command=${sql}`)).stdout.trim();
  };

  const activeTargets = async (): Promise<readonly Target[]> => {
    const response = await fetch(`${prometheusUrl}/api/v1/targets?state=active`);
    const answer: { readonly data: { readonly activeTargets: readonly Target[] } } = JSON.parse(
      await response.text(),
    );
    return answer.data.activeTargets;
  };
  /** Every target but that of a generator on the host, of which there is none. */
  const expectAllUp = () =>
    vi.waitFor(async () => {
      const targets = await activeTargets();
      const stack = targets.filter(({ labels }) => labels["instance"] !== "docker-host:9464");
      expect(new Set(stack.map(({ labels }) => labels["job"]))).toEqual(
        new Set(["node", "pgbouncer", "postgres", "prometheus", "shop"]),
      );
      const down = stack.filter(({ health }) => health !== "up");
      expect(down.map(({ labels, lastError }) => `${labels["job"]}: ${lastError}`)).toEqual([]);
    }, readiness);

  beforeAll(async () => {
    const [prometheus, shop] = [String(await findFreePort()), String(await findFreePort())];
    env = {
      PROMETHEUS_PORT: prometheus,
      SHOP_PORT: shop,
      // Not the default, so that nothing but docker-compose.yml's own use of the variable makes it work.
      STACK_SUBNET: "172.30.98.0/24",
      STACK_GATEWAY: "172.30.98.1",
    };
    prometheusUrl = `http://127.0.0.1:${prometheus}`;
    await up();
  }, 180_000);

  afterAll(async () => {
    await onStack("--profile=*", "down", "--volumes", "--remove-orphans");
  }, 120_000);

  it("scrapes every service", async () => {
    await expectAllUp();
  });

  it.each([
    "node_memory_MemAvailable_bytes",
    "rate(node_cpu_seconds_total[1m])",
    'db_client_connection_max{db_client_connection_pool_name="shop"} == 10',
    'pg_stat_activity_count{datname="shop", usename="shop"}',
    'pg_stat_statements_calls_total{datname="shop"}',
    'pgbouncer_pools_server_idle_connections{database="shop"}',
    // Both forms of a histogram that has both.
    "histogram_count(prometheus_http_request_duration_seconds) > 0",
    'prometheus_http_request_duration_seconds_bucket{le="+Inf"} > 0',
  ])("has data for %s", async (promql) => {
    await vi.waitFor(async () => {
      expect(await query(promql)).not.toEqual([]);
    }, readiness);
  });

  it("shows a run of the profile k6, its delivery and what it used, in its own Prometheus", async () => {
    const oneShot = "--profile=k6 run -T --rm --use-aliases load";
    const load = "run /scripts/checkout.js -e BASE_URL=http://shop:8080 -e DURATION=20s";
    const { stderr } = await onStack(...words(`${oneShot} ${load} --testid=live --test=checkout`));
    const [requests] = await query('sum(last_over_time(k6_http_reqs_total{testid="live"}[10m]))');
    expect(stderr).toContain("reconciled");
    expect(requests?.value).toBeGreaterThan(500);
    const states = await query('last_over_time(plimsoll_run_state{testid="live"}[10m])');
    expect(new Map(states.map(({ metric, value }) => [metric["state"], value]))).toEqual(
      new Map([
        ["finished", 1],
        ["running", 0],
      ]),
    );
    const delivered = await query(
      "max by (job) (last_over_time(plimsoll_remote_write_samples_delivered_total[10m]))",
    );
    // Stored with the run, and scraped.
    expect(new Set(delivered.map(({ metric }) => metric["job"]))).toEqual(
      new Set([undefined, "plimsoll"]),
    );
    const used = await query(
      'max by (resource) (max_over_time(plimsoll:run_resource_ratio{testid="live", test="checkout"}[10m]))',
    );
    const resources = new Set(["connections", "cpu", "disk", "memory"]);
    expect(new Set(used.map(({ metric }) => metric["resource"]))).toEqual(resources);
    expect(used.every(({ value }) => value > 0 && value <= 1.01)).toBe(true);
  });

  it("keeps what it has, a run of long ago too, over a restart and over down and up", async () => {
    await using folder = await createTemporaryFolder();
    const old = await writeOldRun(folder.path);
    const out = `--out=prometheus-rw=${prometheusUrl}/api/v1/write`;
    const args = ["ingest", old.file, "--testid=old", "--test=checkout", out];
    const ingested = await runPlimsoll(args, { folder: folder.path });
    expect(ingested.exitCode, ingested.stderr).toBe(0);
    await inPostgres("CREATE TABLE kept AS SELECT 42 AS answer");

    const today = Date.now() / 1_000;
    const kept = async () => ({
      scraped: (await query('count(count_over_time(up{job="shop"}[10m]))', today)).length,
      old: await query(
        'sum(last_over_time(k6_http_reqs_total{testid="old"}[10m]))',
        old.endSeconds,
      ),
      answer: await inPostgres("SELECT answer FROM kept"),
    });
    const before = await kept();
    expect(before).toEqual({
      scraped: 1,
      old: [{ metric: {}, value: oldRunRequests }],
      answer: "42",
    });

    await onStack("restart", "prometheus", "postgres");
    await expectAllUp();
    expect(await kept()).toEqual(before);

    await onStack("down");
    await up();
    await expectAllUp();
    expect(await kept()).toEqual(before);
  });
});
