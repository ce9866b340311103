/**
 * Plimsoll killed, its disk full, its spool damaged: the crash matrix, on the built command.
 *
 * Each time: it ends by itself, the next start goes on, no series goes out of order (the receiver checks each
 * request), and what is missing is counted and named.
 */
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SentReport } from "../../src/cli/spool-report.ts";
import { spoolFolder } from "../../src/output/spool-folder.ts";
import { listSpools } from "../../src/spool/list-spools.ts";
import { seeded } from "../support/k6-run.ts";
import { type PlimsollProcess, runPlimsoll, startPlimsoll } from "../support/plimsoll.ts";
import { itWithPidNamespace } from "../support/pid-namespace.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { receivedValue } from "../support/received-points.ts";
import { startReceiverServer, storedAnswer } from "../support/receiver-server.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { leaveSpool, segmentFile, valuesOf } from "../support/spooled-run.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { itWithTmpfs, mountTmpfs } from "../support/tmpfs.ts";
import { describeWithTool } from "../support/tools.ts";

const seconds = 60;
const perSecond = 50;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

const out = (url: string) => ["--out", `prometheus-rw=${url}`];
const run = (args: readonly string[]) => runPlimsoll(args, { folder: folder.path });

/** A minute of requests, a chunk per second of the run: what k6 would have written from `startMs` on. */
function chunks(startMs: number): string[] {
  const data = { name: "http_reqs", type: "counter", contains: "default" };
  const declaration = `${JSON.stringify({ type: "Metric", metric: "http_reqs", data })}\n`;
  return Array.from({ length: seconds }, (_, second) => {
    const lines = Array.from({ length: perSecond }, (_unused, n) => {
      const time = new Date(startMs + second * 1_000 + (n * 1_000) / perSecond).toISOString();
      const point = { time, value: 1, tags: { name: `page-${n % 5}`, status: "200" } };
      return `${JSON.stringify({ type: "Point", metric: "http_reqs", data: point })}\n`;
    });
    return (second === 0 ? declaration : "") + lines.join("");
  });
}

/** Gives as many chunks as it is told, waiting a little now and then, as a pipe does. */
async function feed(
  plimsoll: PlimsollProcess,
  all: readonly string[],
  random: () => number,
): Promise<void> {
  for (const chunk of all) {
    plimsoll.stdin.write(chunk);
    if (random() < 0.3) await delay(random() * 8);
  }
}

/** Resolves when the process has taken the spool. */
async function isWorking({ pid }: PlimsollProcess, directory: string): Promise<void> {
  await expect
    .poll(() => readFile(join(directory, "lock"), "utf8").catch(() => ""), {
      interval: 5,
      timeout: 30_000,
    })
    .toMatch(new RegExp(`^${pid}\n`));
}

describe("killed by SIGKILL at random moments", () => {
  for (const { tool, name, kills } of [
    { tool: "prometheus-3", name: "Prometheus 3", kills: 20 },
    { tool: "prometheus-2", name: "Prometheus 2", kills: 5 },
  ] as const) {
    describeWithTool(tool, name, (program) => {
      it(`has every point, and each once, when the same samples are ingested again after ${kills} kills`, async () => {
        await using store = await startPrometheus({ program });
        const random = seeded(kills);
        // Old enough that nothing of it is live; within the hour that a store takes.
        const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000;
        const all = chunks(startMs);
        const spoolDir = join(folder.path, `spool-${tool}`);
        const common = ["--spool-dir", spoolDir, "--trends", "classic", ...out(store.writeUrl)];
        const ingest = (testid: string) =>
          startPlimsoll(["ingest", "-", "--testid", testid, ...common], {
            folder: folder.path,
            isStdinOpen: true,
          });
        let leftovers = 0;
        for (let kill = 0; kill < kills; kill++) {
          await using plimsoll = ingest("killed");
          plimsoll.stdin.write(all[0] ?? "");
          await isWorking(plimsoll, spoolFolder(spoolDir, "killed", store.writeUrl));
          const moment = delay(random() * 250);
          await Promise.race([moment, feed(plimsoll, all.slice(1), random)]);
          await moment;
          plimsoll.kill("SIGKILL");
          const { signal, exitCode, stderr } = await plimsoll.result;
          expect([signal, exitCode], stderr).toEqual(["SIGKILL", null]);
          const [left] = await listSpools(spoolDir);
          if ((left?.pending.batches ?? 0) > 0) leftovers++;
          if (kill % 4 !== 3) continue;
          // What was in the store before this kill is refused by it again.
          const sent = await run(["replay", "--all", ...common]);
          expect([0, 3], sent.stderr).toContain(sent.exitCode);
          expect(await readdir(spoolDir)).toEqual([]);
        }
        // Had all been delivered each time, this would say little.
        expect(leftovers).toBeGreaterThan(kills / 5);
        for (const testid of ["killed", "unharmed"]) {
          await using plimsoll = ingest(testid);
          for (const chunk of all) plimsoll.stdin.write(chunk);
          plimsoll.stdin.end();
          const { exitCode, stderr } = await plimsoll.result;
          // What the store has from before it refuses as out of order. That is counted, and announced.
          const isAgain = testid === "killed";
          expect(exitCode, stderr).toBe(isAgain ? 3 : 0);
          expect(stderr.includes("run killed has points of this time already")).toBe(isAgain);
        }
        const total = (testid: string) => `sum(k6_http_reqs_total{testid="${testid}"})`;
        const range = (testid: string) =>
          store.queryRange(total(testid), startMs / 1_000, startMs / 1_000 + seconds, 1);
        const [unharmed] = await range("unharmed");
        expect(unharmed?.values.length).toBeGreaterThanOrEqual(seconds - 1);
        expect(await range("killed")).toEqual([unharmed]);
        // The last points come right after the last sample, and then the series end.
        const lastMs = startMs + seconds * 1_000 - 1_000 / perSecond + 1;
        const [killed] = await store.query(total("killed"), lastMs / 1_000);
        expect(killed?.value).toBe(seconds * perSecond);
        expect(await readdir(spoolDir)).toEqual([]);
      }, 300_000);
    });
  }

  it("sends by replay all that was read up to the last closed interval, in order, and nothing twice", async () => {
    const random = seeded(4);
    let isAway = false;
    await using receiver = await startReceiverServer({
      defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
    });
    const spoolDir = join(folder.path, "spool-lives");
    for (let life = 0; life < 4; life++) {
      const testid = `life-${life}`;
      const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000;
      const all = chunks(startMs);
      const fed = 10 + Math.floor(random() * (seconds - 10));
      const common = ["--spool-dir", spoolDir, ...out(receiver.url)];
      const queues = ["--remote-write-queues", String(1 + (life % 3))];
      isAway = false;
      {
        const args = ["ingest", "-", "--testid", testid, ...queues, ...common];
        await using plimsoll = startPlimsoll(args, { folder: folder.path, isStdinOpen: true });
        await feed(plimsoll, all.slice(0, fed - 5), random);
        // From here on it is in the spool and nowhere else.
        await expect
          .poll(
            () => receivedValue(receiver.requests, { testid, __name__: "k6_http_reqs_total" }) ?? 0,
            { timeout: 30_000 },
          )
          .toBeGreaterThan(0);
        isAway = true;
        await feed(plimsoll, all.slice(fed - 5, fed), random);
        await delay(random() * 100);
        plimsoll.kill("SIGKILL");
        await plimsoll.result;
      }
      isAway = false;
      const before = receivedValue(receiver.requests, { testid, __name__: "k6_http_reqs_total" });
      const { exitCode, stderr } = await run(["replay", testid, ...common]);
      expect(exitCode === 0 || stderr.includes("is neither a run"), stderr).toBe(true);
      const stored = receivedValue(receiver.requests, { testid, __name__: "k6_http_reqs_total" });
      // A prefix of what was fed, which ends with an interval.
      expect(stored).toBeGreaterThanOrEqual(before ?? Infinity);
      expect(stored).toBeLessThanOrEqual(fed * perSecond);
      expect((stored ?? NaN) % perSecond).toBe(0);
    }
    expect(receiver.violations).toEqual([]);
    expect(await readdir(spoolDir)).toEqual([]);
  });
});

describe("a damaged spool", () => {
  /** Six requests in three segments. */
  const leaveThree = async (testid: string, url: string) => {
    const spoolDir = join(folder.path, "damaged");
    const { directory } = await leaveSpool({ spoolDir, testid, url, count: 6, segmentBytes: 300 });
    const files = readdirSync(directory).filter((name) => name.endsWith(".segment"));
    expect(files).toHaveLength(3);
    return directory;
  };
  const flip = (path: string, offset: number) => {
    const content = readFileSync(path);
    content.writeUInt8(content.readUInt8(offset) ^ 4, offset);
    writeFileSync(path, content);
  };

  it.each([
    { damage: "a flipped bit in the magic", at: 1, left: [1, 2, 4, 5, 6] },
    { damage: "a flipped bit in the version", at: 4, left: [1, 2, 4, 5, 6] },
    { damage: "a flipped bit in the length", at: 17, left: [1, 2, 4, 5, 6] },
    { damage: "a flipped bit in the checksum", at: 45, left: [1, 2, 4, 5, 6] },
    { damage: "a flipped bit in the payload", at: 60, left: [1, 2, 4, 5, 6] },
    { damage: "a middle segment that is gone", at: undefined, left: [1, 2, 5, 6] },
  ])("with $damage is sent without that, in order, and says what is lost", async ({ at, left }) => {
    await using receiver = await startReceiverServer();
    const directory = await leaveThree("flipped", receiver.url);
    const middle = segmentFile(directory, 3);
    if (at === undefined) rmSync(middle);
    else flip(middle, at);
    const { exitCode, stdout, stderr } = await run([
      "replay",
      directory,
      "--json",
      ...out(receiver.url),
    ]);
    expect(exitCode, stderr).toBe(3);
    const lost = 6 - left.length;
    expect(stderr).toContain(
      `is damaged: ${lost} requests and 0 bytes of an unfinished one are lost`,
    );
    const [report] = (JSON.parse(stdout) as { spools: SentReport[] }).spools;
    expect(report).toMatchObject({ corruptRequests: lost, delivered: left.length, pending: 0 });
    expect(valuesOf({ testid: "flipped" }, receiver.requests)).toEqual(left);
    expect(receiver.violations).toEqual([]);
    expect(await readdir(join(folder.path, "damaged"))).toEqual([]);
  });

  it("with a damaged record makes the exit code of the run that recovers it, and is in its report", async () => {
    await using receiver = await startReceiverServer();
    const directory = await leaveThree("recovered", receiver.url);
    flip(segmentFile(directory, 3), 60);
    const file = join(folder.path, "recovering.json");
    writeFileSync(file, chunks(Date.now() - 60_000).join(""));
    const reportFile = join(folder.path, "recovered.json");
    const args = ["ingest", file, "--testid", "recovered", "--report", reportFile];
    const spoolDir = join(folder.path, "damaged");
    const { exitCode, stderr } = await run([
      ...args,
      ...out(receiver.url),
      "--spool-dir",
      spoolDir,
    ]);
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toContain("lost  1 requests in the spool that cannot be read");
    expect(JSON.parse(readFileSync(reportFile, "utf8"))).toMatchObject({ corruptRequests: 1 });
    expect(valuesOf({ testid: "recovered" }, receiver.requests)).toEqual([1, 2, 4, 5, 6]);
  });

  it("with an empty position is sent from its beginning", async () => {
    await using receiver = await startReceiverServer();
    const directory = await leaveThree("no-position", receiver.url);
    truncateSync(join(directory, "position.json"), 0);
    const { exitCode, stderr } = await run(["replay", directory, ...out(receiver.url)]);
    expect(exitCode, stderr).toBe(0);
    expect(valuesOf({ testid: "no-position" }, receiver.requests)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(receiver.violations).toEqual([]);
  });
});

it("is one process's: a second run and a replay of it are refused, and the first loses nothing", async () => {
  let isAway = true;
  await using receiver = await startReceiverServer({
    defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
  });
  const spoolDir = join(folder.path, "shared");
  const shared = [
    "--testid",
    "shared",
    "--no-preflight",
    "--spool-dir",
    spoolDir,
    ...out(receiver.url),
  ];
  const reportFile = join(folder.path, "shared.report");
  const args = ["ingest", "-", ...shared, "--report", reportFile];
  await using first = startPlimsoll(args, { folder: folder.path, isStdinOpen: true });
  const all = chunks(Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000);
  for (const chunk of all) first.stdin.write(chunk);
  await receiver.waitForRequests(1);
  const file = join(folder.path, "shared.json");
  await writeFile(file, all.join(""));
  for (const second of [
    ["ingest", file, ...shared],
    ["replay", "shared", "--spool-dir", spoolDir, ...out(receiver.url)],
  ]) {
    const { exitCode, stderr } = await run(second);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`is in use by process ${first.pid}`);
  }
  const list = await run(["replay", "--spool-dir", spoolDir]);
  expect(list.stdout).toContain(`in use by process ${first.pid}`);
  isAway = false;
  first.stdin.end();
  const { exitCode, stderr } = await first.result;
  expect(exitCode, stderr).toBe(0);
  expectAccounted(await readReport(reportFile));
  expect(receivedValue(receiver.requests, { __name__: "k6_http_reqs_total" })).toBe(3_000);
  expect(receiver.violations).toEqual([]);
});

itWithPidNamespace(
  "is one container's: another one is refused, and waits for the end of one that was killed",
  async (container) => {
    let isAway = true;
    await using receiver = await startReceiverServer({
      defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
    });
    const spoolDir = join(folder.path, "containers");
    const options = ["--spool-dir", spoolDir, ...out(receiver.url)];
    const ingest = ["ingest", "-", "--testid", "shared", "--no-preflight", ...options];
    const start = (args: readonly string[], wrapper: readonly string[]) =>
      startPlimsoll(args, { folder: folder.path, isStdinOpen: true, wrapper });
    const all = chunks(Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000).join("");
    await using first = start(ingest, container);
    first.stdin.write(all);
    await receiver.waitForRequests(1);
    for (const wrapper of [container, []]) {
      await using second = start(ingest, wrapper);
      second.stdin.write(all);
      second.stdin.end();
      const { exitCode, stderr } = await second.result;
      expect(exitCode, stderr).toBe(4);
      expect(stderr).toMatch(/is in use by process \d+ of another container or machine/);
    }
    const [left] = await listSpools(spoolDir);
    expect(left?.pending.batches).toBeGreaterThan(0);

    first.kill("SIGKILL");
    await first.result;
    isAway = false;
    await using next = start(["replay", "shared", "--json", ...options], container);
    await next.waitFor("of another container or machine just now; waiting for a sign of it");
    const { exitCode, stdout, stderr } = await next.result;
    expect(exitCode, stderr).toBe(0);
    const [report] = (JSON.parse(stdout) as { spools: SentReport[] }).spools;
    expect(report).toMatchObject({ corruptRequests: 0, pending: 0 });
    expect(report?.delivered).toBeGreaterThanOrEqual(left?.pending.samples ?? Infinity);
    expect(await readdir(spoolDir)).toEqual([]);
  },
  60_000,
);

itWithTmpfs(
  "on a full disk drops what finds no room, counts it, and goes on when there is room",
  async () => {
    await using disk = await mountTmpfs(64 * 1024);
    let isAway = true;
    await using receiver = await startReceiverServer({
      defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
    });
    const reportFile = join(folder.path, "full.report");
    const args = ["ingest", "-", "--testid", "full", "--no-preflight", "--report", reportFile];
    const options = ["--spool-dir", disk.path, "--trends", "classic", ...out(receiver.url)];
    const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000;
    const all = chunks(startMs);
    await using plimsoll = startPlimsoll([...args, ...options], {
      folder: folder.path,
      isStdinOpen: true,
    });
    const [first = "", ...others] = all;
    const [begin, rest] = [others.slice(0, -5), others.slice(-5)];
    plimsoll.stdin.write(first);
    await isWorking(plimsoll, spoolFolder(disk.path, "full", receiver.url));
    // What the disk has left is less than a minute of requests needs.
    const filler = join(disk.path, "filler");
    writeFileSync(filler, Buffer.alloc(44 * 1024));
    for (const chunk of begin) plimsoll.stdin.write(chunk);
    await plimsoll.waitFor(/ENOSPC: no space left on device/);
    isAway = false;
    // The oldest are there, so the receiver gets them; then there is room again.
    await expect
      .poll(() => receivedValue(receiver.requests, { __name__: "k6_http_reqs_total" }) ?? 0, {
        timeout: 30_000,
      })
      .toBeGreaterThan(perSecond);
    rmSync(filler);
    for (const chunk of rest) plimsoll.stdin.write(chunk);
    plimsoll.stdin.end();
    const { exitCode, stderr } = await plimsoll.result;
    expect(exitCode, stderr).toBe(3);
    const { points } = await readReport(reportFile);
    expect(points.rejected["spool_full"]).toBeGreaterThan(0);
    expect(points).toMatchObject({ pending: 0 });
    expect(points.encoded).toBe(points.delivered + (points.rejected["spool_full"] ?? 0));
    // Totals count from the start of the run, so the last one is whole.
    expect(receivedValue(receiver.requests, { __name__: "k6_http_reqs_total" })).toBe(3_000);
    expect(receiver.violations).toEqual([]);
    expect(readdirSync(disk.path)).toEqual([]);
  },
);

it("with samples that go back by an hour keeps every series in order, and every sample", async () => {
  await using receiver = await startReceiverServer();
  const reportFile = join(folder.path, "back.report");
  const file = join(folder.path, "back.json");
  const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000;
  const [before, after] = [chunks(startMs), chunks(startMs - 3_600_000)];
  await writeFile(file, [...before.slice(0, 30), ...after.slice(30)].join(""));
  const { exitCode, stderr } = await run([
    "ingest",
    file,
    "--testid",
    "back",
    "--report",
    reportFile,
    ...out(receiver.url),
  ]);
  expect(exitCode, stderr).toBe(0);
  const report = await readReport(reportFile);
  expectAccounted(report);
  expect(report.samples).toMatchObject({ read: 3_000, aggregated: 3_000, late: 1_500 });
  expect(receivedValue(receiver.requests, { __name__: "k6_http_reqs_total" })).toBe(3_000);
  expect(receiver.violations).toEqual([]);
});

it("keeps the number of queues that are on the disk, and the order of every series", async () => {
  let isAway = true;
  await using receiver = await startReceiverServer({
    defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
  });
  const spoolDir = join(folder.path, "queues");
  const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 10 * 60_000;
  const all = chunks(startMs);
  const file = join(folder.path, "queues.json");
  const ingest = async (some: readonly string[], queues: number) => {
    await writeFile(file, some.join(""));
    const args = ["--testid", "queues", "--spool-dir", spoolDir, "--drain-timeout", "5s"];
    const more = ["--no-preflight", "--remote-write-queues", String(queues), ...out(receiver.url)];
    return await run(["ingest", file, ...args, ...more]);
  };
  const [first = ""] = all;
  const left = await ingest(all.slice(0, 20), 3);
  expect(left.exitCode, left.stderr).toBe(3);
  isAway = false;
  const { exitCode, stderr } = await ingest([first.split("\n")[0] + "\n", ...all.slice(40)], 2);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("is in 3 queues, so this run sends in as many, not in 2");
  expect(receiver.violations).toEqual([]);
  expect(await readdir(spoolDir)).toEqual([]);
});

describeWithTool("prometheus-3", "replayed after the time that the store takes", (program) => {
  it("counts what is refused as out of bounds, and ends", async () => {
    await using store = await startPrometheus({ program });
    const spoolDir = join(folder.path, "late");
    const fresh = { spoolDir, testid: "fresh", url: store.writeUrl, count: 2 };
    await leaveSpool(fresh);
    expect(
      (await run(["replay", "fresh", "--spool-dir", spoolDir, ...out(store.writeUrl)])).exitCode,
    ).toBe(0);
    await leaveSpool({ ...fresh, testid: "late", startMs: Date.now() - 5 * 3_600_000 });
    const args = ["replay", "late", "--json", "--spool-dir", spoolDir, ...out(store.writeUrl)];
    const { exitCode, stdout, stderr } = await run(args);
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toMatch(
      /the receiver refused points \(http_400_after_restart\): .*out of (bounds|order)/,
    );
    const [report] = (JSON.parse(stdout) as { spools: SentReport[] }).spools;
    expect(report).toMatchObject({
      delivered: 0,
      pending: 0,
      rejected: { http_400_after_restart: 2 },
    });
    expect(statSync(spoolDir).isDirectory()).toBe(true);
    expect(await readdir(spoolDir)).toEqual([]);
  });
});
