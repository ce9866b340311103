/**
 * `plimsoll up`, `status` and `down` with the real programs, each on its port shifted to a free range.
 *
 * One stack serves the tests in their order: they are a story, and a database takes seconds to make.
 */
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kill } from "node:process";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { isFree } from "../../src/free-port.ts";
import { recordOf } from "../../src/process-identity.ts";
import { findPostgres } from "../../src/stack/postgres.ts";
import { runPlimsoll, startPlimsoll, type PlimsollResult } from "../support/plimsoll.ts";
import { createQueryApi } from "../support/query-api.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool, findTool } from "../support/tools.ts";

interface Service {
  readonly name: string;
  readonly state: string;
  readonly address?: string;
  readonly pid?: number;
  readonly target?: string;
  readonly note?: string;
}

interface Status {
  readonly folder: string;
  readonly isHealthy: boolean;
  readonly services: readonly Service[];
}

/** What the stack finds, beside what is on PATH. */
const programs = Object.fromEntries(
  (["node-exporter", "postgres-exporter"] as const).flatMap((tool) => {
    const path = findTool(tool);
    return path === undefined
      ? []
      : [[`PLIMSOLL_TOOL_${tool.toUpperCase().replaceAll("-", "_")}`, path]];
  }),
);

const database = findPostgres({ searchPath: process.env["PATH"] }) ? ["postgres"] : [];
const exporter = database.length > 0 && findTool("postgres-exporter") ? ["postgres-exporter"] : [];
const host = findTool("node-exporter") ? ["node-exporter"] : [];
const expected = [...host, ...database, ...exporter, "shop", "prometheus"];

describeWithTool("prometheus-2", "the stack as processes", (prometheus2) => {
  describeWithTool("prometheus-3", "on an older and a newer Prometheus", (prometheus3) => {
    let home: TemporaryFolder;
    let offset: string;
    let env = { ...programs, PLIMSOLL_TOOL_PROMETHEUS_2: prometheus2 };

    beforeAll(async () => {
      home = await createTemporaryFolder();
      offset = String(await findFreeOffset());
    });
    afterAll(async () => {
      await plimsoll(["down", "--remove-data"]);
      await home[Symbol.asyncDispose]();
    });

    const plimsoll = (args: readonly string[], more: Record<string, string> = {}) =>
      runPlimsoll(args, { folder: home.path, env: { ...env, ...more } });
    const up = (more: readonly string[] = [], variables: Record<string, string> = {}) =>
      plimsoll(["up", "--native", "--json", ...more], variables);
    const firstUp = () => up(["--port-offset", offset, "--scrape-interval", "1s"]);
    const status = async (): Promise<Status> => statusIn(await plimsoll(["status", "--json"]));
    const addressOf = async (name: string): Promise<string> =>
      serviceIn(await status(), name).address ?? "";

    it("names who has a port, and starts nothing", async () => {
      const port = 9090 + Number(offset);
      const other = createServer().listen(port, "127.0.0.1");
      await once(other, "listening");
      const { exitCode, stderr } = await firstUp();
      other.close();
      expect(exitCode).toBe(4);
      expect(stderr).toContain(
        `port ${port}, for prometheus, is taken by process ${process.pid} (`,
      );
      expect(stderr).toContain("--port-offset");
      expect((await status()).services).toEqual([]);
    });

    it("is up, scraped and healthy, each service on a loopback address", async () => {
      const result = await firstUp();
      expect(result.exitCode, result.stderr).toBe(0);
      const { isHealthy, services } = statusIn(result);
      expect(isHealthy).toBe(true);
      const started = services.filter(({ state }) => state === "up");
      expect(started.map(({ name }) => name)).toEqual(expect.arrayContaining(expected));
      for (const { name, address } of started) expect(address, name).toMatch(/^127\.0\.0\.1:\d+$/);
      const left = services.filter(({ state }) => state === "left out");
      for (const { name, note } of left)
        expect(note, name).toMatch(/install|https:|nothing without/);
      expect((await plimsoll(["status"])).exitCode).toBe(0);
    });

    it("keeps what it stores from other users of the machine", async () => {
      const { folder } = await status();
      expect((await stat(folder)).mode & 0o077).toBe(0);
      for (const file of ["state.json", "prometheus.yml"]) {
        expect((await stat(join(folder, file))).mode & 0o077, file).toBe(0);
      }
    });

    it("scrapes its jobs under the names that the dashboards ask for", async () => {
      const prometheus = createQueryApi(`http://${await addressOf("prometheus")}`);
      const wanted = { "node-exporter": "node", "postgres-exporter": "postgres" } as const;
      const names = expected.filter((name) => name !== "postgres");
      // A scrape that takes longer than the second between two fails, and the next does not.
      await vi.waitFor(
        async () => {
          const jobs = (await prometheus.query("up == 1")).map(({ metric }) => metric["job"]);
          expect(jobs).toEqual(
            expect.arrayContaining(names.map((name) => Reflect.get(wanted, name) ?? name)),
          );
        },
        { timeout: 20_000, interval: 200 },
      );
    });

    it("changes nothing when it is up already", async () => {
      const before = await status();
      const { exitCode, stderr } = await up();
      expect(exitCode).toBe(0);
      expect(stderr).toContain("up already");
      expect(pidsOf(await status())).toEqual(pidsOf(before));
    });

    it("refuses other settings than those of what runs", async () => {
      const { exitCode, stderr } = await up(["--retention", "3d"]);
      expect(exitCode).toBe(4);
      expect(stderr).toContain("retention 3d");
    });

    it("sees what was killed, and starts it again beside the others", async () => {
      const before = await status();
      const name = "shop";
      const killed = serviceIn(before, name);
      kill(killed.pid ?? 0, "SIGKILL");
      await vi.waitFor(async () => expect(serviceIn(await status(), name).state).toBe("ended"), {
        timeout: 20_000,
      });
      expect((await plimsoll(["status"])).exitCode).toBe(4);

      const result = await up();
      expect(result.exitCode, result.stderr).toBe(0);
      const after = await status();
      expect(serviceIn(after, name).pid).not.toBe(killed.pid);
      const others = ([other]: readonly [string, ...unknown[]]) => other !== name;
      expect(pidsOf(after).filter(others)).toEqual(pidsOf(before).filter(others));
    });

    it("gives back what a run has stored, after a restart with a newer Prometheus", async () => {
      const address = await addressOf("prometheus");
      const prometheus = createQueryApi(`http://${address}`);
      const samples = join(import.meta.dirname, "../golden/k6/v2.2.0.jsonl");
      const url = `http://${address}/api/v1/write`;
      const ingest = ["ingest", samples, "--testid", "kept", "--out", `prometheus-rw=${url}`, "-q"];
      expect((await plimsoll(ingest)).exitCode).toBe(0);
      const series = 'count(last_over_time({testid="kept"}[3y]))';
      const before = await prometheus.query(series);
      expect(before).toHaveLength(1);

      expect((await plimsoll(["down"])).exitCode).toBe(0);
      const stopped = await plimsoll(["status"]);
      expect(stopped.exitCode).toBe(4);
      expect(stopped.stderr).toContain("nothing is up");
      env = { ...programs, PLIMSOLL_TOOL_PROMETHEUS_2: prometheus3 };
      // At the same ports, with the same retention: settings are kept with the data.
      const again = await up();
      expect(again.exitCode, again.stderr).toBe(0);
      expect(await prometheus.query(series)).toEqual(before);
    });

    it("leaves nothing behind where its data is removed", async () => {
      const { services } = await status();
      const { exitCode, stderr } = await plimsoll(["down", "--remove-data"]);
      expect(exitCode, stderr).toBe(0);
      for (const { name, pid = 0 } of services) {
        expect(recordOf(pid).identity, name).toBe("ended");
      }
      expect(await readdir(join(home.path, ".local/share/plimsoll"))).not.toContain("stack");
      for (const path of /removed (.*)/.exec(stderr)?.[1]?.split(", ") ?? [""]) {
        await expect(stat(path)).rejects.toThrow("ENOENT");
      }
    });

    it("shows the end of its log when a service does not start, and ends what was begun", async () => {
      const { exitCode, stderr } = await up(["--port-offset", offset, "--retention", "99999y"]);
      expect(exitCode).toBe(4);
      expect(stderr).toMatch(/prometheus did not start: it has ended; .*prometheus\.log/);
      expect(stderr).toMatch(/out of range/);
      expect((await status()).services).toEqual([]);
    });

    it("leaves out what does not start, and has a shop without a Postgres", async () => {
      // The database of the start before this is of another version.
      await plimsoll(["down", "--remove-data"]);
      const folder = join(home.path, "broken/bin");
      await mkdir(folder, { recursive: true });
      for (const name of ["initdb", "postgres"]) {
        const script =
          '#!/bin/sh\ntest "$1" = --version && exec echo "postgres (PostgreSQL) 17.1"\n';
        await writeFile(join(folder, name), `${script}echo "no disk" >&2\nexit 1\n`, {
          mode: 0o755,
        });
      }
      const variables = { PATH: `${folder}:${process.env["PATH"]}` };
      const result = await up(["--port-offset", offset, "--scrape-interval", "1s"], variables);
      expect(result.exitCode, result.stderr).toBe(0);
      const { services } = statusIn(result);
      const notes = new Map(services.map(({ name, state, note }) => [name, `${state}: ${note}`]));
      expect(notes.get("postgres")).toMatch(/^left out: .*initdb failed: .*no disk$/);
      expect(notes.get("postgres-exporter")).toBe("left out: nothing without postgres");
      const prometheus = createQueryApi(`http://${await addressOf("prometheus")}`);
      expect(await prometheus.query('up{job="shop"} == 1')).toHaveLength(1);
      expect(await prometheus.query('up{job=~"postgres|pgbouncer"}')).toEqual([]);
      const products = await fetch(`http://${await addressOf("shop")}/products`);
      expect(products.status).toBe(200);
      await plimsoll(["down"]);
    });

    it("refuses ports that Linux gives to connections", async () => {
      const { exitCode, stderr } = await up(["--port-offset", "17001"]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("from port 32768 on");
    });

    it("ends what was begun when it is interrupted", async () => {
      await using started = startPlimsoll(["up", "--native", "--port-offset", offset], {
        folder: home.path,
        env,
      });
      await started.waitFor("starting shop");
      started.kill("SIGINT");
      expect((await started.result).exitCode).toBe(130);
      expect((await status()).services).toEqual([]);
    });
  });
});

function statusIn({ stdout, stderr }: PlimsollResult): Status {
  if (stdout === "") throw new Error(stderr);
  // What --json prints.
  return JSON.parse(stdout);
}

function serviceIn({ services }: Status, name: string): Service {
  const service = services.find((one) => one.name === name);
  if (!service) throw new Error(`${name} is not in the stack`);
  return service;
}

function pidsOf({ services }: Status): (readonly [string, number | undefined])[] {
  return services.map(({ name, pid }) => [name, pid] as const);
}

/** Ports are fixed but for the offset: one at which all are free a moment ago. */
async function findFreeOffset(): Promise<number> {
  for (;;) {
    const offset = 1_000 + Math.floor(Math.random() * 10_000);
    const ports = [3000, 6432, 8080, 9090, 9100, 9127, 9187, 15432].map((port) => port + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return offset;
  }
}
