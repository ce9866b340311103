/**
 * `plimsoll replay`: what it shows of the spool, what it sends where, and what it leaves.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SentReport, SpoolReport } from "../../src/cli/spool-report.ts";
import { RunSpool } from "../../src/spool/run-spool.ts";
import { runPlimsoll, startPlimsoll } from "../support/plimsoll.ts";
import {
  type ReceiverServer,
  startReceiverServer,
  storedAnswer,
} from "../support/receiver-server.ts";
import { leaveSpool, valuesOf } from "../support/spooled-run.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const nowhere = "http://127.0.0.1:9/api/v1/write";

let folder: TemporaryFolder;
let receiver: ReceiverServer;
let spoolDir: string;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  receiver = await startReceiverServer();
  spoolDir = join(folder.path, "spool");
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const leave = (testid: string, options: Partial<Parameters<typeof leaveSpool>[0]> = {}) =>
  leaveSpool({ spoolDir, testid, url: receiver.url, count: 3, ...options });
const out = (url: string) => ["--out", `prometheus-rw=${url}`];
const replay = (...args: readonly string[]) =>
  runPlimsoll(["replay", "--spool-dir", spoolDir, ...args], { folder: folder.path });

it("shows what waits: whose, where to, how much, of when", async () => {
  await leave("checkout-1", { startMs: Date.UTC(2026, 10, 22, 12), queues: 2 });
  await leave("of-before", { hasManifest: false, startMs: Date.UTC(2026, 10, 21) });
  const { stdout, stderr, exitCode } = await replay();
  expect(exitCode).toBe(0);
  const [head, first, second] = stdout.split("\n").map((line) => line.split(/ {2,}/));
  expect(head).toContain("RECEIVER");
  const times = ["2026-11-21T00:00:01Z", "2026-11-21T00:00:03Z", "waits"];
  expect(first).toEqual(["of-before", "-", "-", "3", "3", expect.any(String), ...times]);
  expect(second).toContain(receiver.url);
  expect(stderr).toContain('"plimsoll replay --all"');
  expect(receiver.requests).toEqual([]);

  const json: { spools: SpoolReport[] } = JSON.parse((await replay("--json")).stdout);
  expect(json.spools[1]).toMatchObject({
    testid: "checkout-1",
    test: "left",
    url: receiver.url,
    ownerPid: null,
    requests: 6,
    points: 6,
    oldest: "2026-11-22T12:00:01.000Z",
    newest: "2026-11-22T12:00:03.000Z",
    corruptRequests: 0,
    problem: null,
  });
});

it("says that nothing waits, and needs no spool for it", async () => {
  const { stdout, stderr, exitCode } = await replay();
  expect([stdout, exitCode]).toEqual(["", 0]);
  expect(stderr).toContain(`nothing waits in ${spoolDir}`);
});

it("sends all that was going to this receiver, in order, and leaves the rest where it is", async () => {
  const ours = [
    await leave("a"),
    await leave("b", { queues: 3 }),
    await leave("c", { hasManifest: false }),
  ];
  const other = await leave("other", { url: nowhere });
  const { stderr, stdout, exitCode } = await replay("--all", "--json", ...out(receiver.url));
  expect(exitCode, stderr).toBe(0);
  for (const run of ours) expect(valuesOf(run, receiver.requests)).toEqual([1, 2, 3]);
  expect(valuesOf({ testid: "b" }, receiver.requests, 2)).toEqual([1, 2, 3]);
  expect(receiver.violations).toEqual([]);
  expect(stderr).toContain(`1 of other receivers stay: ${nowhere}`);
  expect(stderr).toContain("9 found in the spool = 9 delivered + 0 pending + 0 rejected");
  const { spools }: { spools: SentReport[] } = JSON.parse(stdout);
  expect(spools.map(({ testid, delivered, pending }) => [testid, delivered, pending])).toEqual([
    ["a", 3, 0],
    ["b", 9, 0],
    ["c", 3, 0],
  ]);
  expect(await readdir(spoolDir)).toEqual([other.directory.split("/").at(-1)]);
});

it("sends a run to another receiver only where that is named by a flag", async () => {
  const run = await leave("moved", { url: nowhere });
  const env = { PLIMSOLL_REMOTE_WRITE_URL: receiver.url };
  const args = ["replay", "moved", "--spool-dir", spoolDir];
  const refused = await runPlimsoll(args, { folder: folder.path, env });
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain(
    `"moved" was going to ${nowhere}, and this would send it to ${receiver.url}`,
  );
  expect(receiver.requests).toEqual([]);
  expect((await replay("moved", ...out(receiver.url))).exitCode).toBe(0);
  expect(valuesOf(run, receiver.requests)).toEqual([1, 2, 3]);
});

it("sends a folder that was copied from another machine", async () => {
  const { directory, ...run } = await leave("copied");
  const { exitCode } = await runPlimsoll(["replay", directory, ...out(receiver.url)], {
    folder: folder.path,
  });
  expect(exitCode).toBe(0);
  expect(valuesOf(run, receiver.requests)).toEqual([1, 2, 3]);
  expect(existsSync(directory)).toBe(false);
});

it("sends and changes nothing with --dry-run", async () => {
  const { directory } = await leave("dry");
  const { stdout, stderr, exitCode } = await replay("--all", "--dry-run", ...out(receiver.url));
  expect(exitCode).toBe(0);
  expect(stdout).toContain("dry");
  expect(stderr).toContain(`nothing was sent; without --dry-run it goes to ${receiver.url}`);
  expect(receiver.requests).toEqual([]);
  expect(await readdir(directory)).toContain("spool.json");
});

it("drops nothing where the receiver refuses the sender", async () => {
  let status = 401;
  await using strict = await startReceiverServer({
    defaultAnswer: (request) => (status === 0 ? storedAnswer(request) : { status, body: "who?" }),
  });
  const run = await leave("locked-out", { url: strict.url });
  for (status of [401, 404]) {
    const { exitCode, stderr } = await replay("--all", ...out(strict.url));
    expect(exitCode, stderr).toBe(4);
    expect(stderr).toContain(`${strict.url} refuses this: HTTP ${status}`);
    expect(stderr).toContain("3 found in the spool = 0 delivered + 3 pending + 0 rejected");
  }
  status = 0;
  const before = strict.requests.length;
  expect((await replay("--all", ...out(strict.url))).exitCode).toBe(0);
  expect(valuesOf(run, strict.requests.slice(before))).toEqual([1, 2, 3]);
});

it("speaks remote write 1.0 to a receiver that knows no other", async () => {
  await using old = await startReceiverServer({
    defaultAnswer: ({ protocol }) => ({ status: protocol === "2" ? 415 : 204 }),
  });
  const run = await leave("newer", { url: old.url, protocol: "2" });
  const { exitCode, stderr } = await replay("newer", ...out(old.url));
  expect(exitCode, stderr).toBe(0);
  const stored = old.requests.filter(({ protocol }) => protocol === "1");
  expect(valuesOf(run, stored)).toEqual([1, 2, 3]);
  expect(old.violations).toEqual([]);
});

it("gives up when the receiver takes nothing, says why, and keeps the rest", async () => {
  const { directory } = await leave("away", { url: nowhere });
  const { exitCode, stderr } = await replay("--all", "--drain-timeout", "2s", ...out(nowhere));
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(
    /the receiver has taken nothing for 2s \(--drain-timeout\): .*ECONNREFUSED/,
  );
  expect(stderr).toContain(`what is pending stays in the spool, ${directory}`);
  expect(await readdir(directory)).toContainEqual(expect.stringMatching(/\.segment$/));
});

it("stops at Ctrl-C, and goes on the next time where it was", async () => {
  let isHanging = true;
  await using slow = await startReceiverServer({
    defaultAnswer: (request) =>
      isHanging && slow.requests.length > 1 ? "hang" : storedAnswer(request),
  });
  const run = await leave("stopped", { url: slow.url });
  const args = ["replay", "--all", "--spool-dir", spoolDir, ...out(slow.url)];
  await using plimsoll = startPlimsoll(args, { folder: folder.path });
  await slow.waitForRequests(2);
  plimsoll.kill("SIGINT");
  const { exitCode, stderr } = await plimsoll.result;
  expect(exitCode).toBe(3);
  expect(stderr).toContain("3 found in the spool = 1 delivered + 2 pending + 0 rejected");
  isHanging = false;
  expect((await replay("--all", ...out(slow.url))).exitCode).toBe(0);
  expect(valuesOf(run, slow.requests)).toEqual([1, 2, 2, 3]);
  expect(slow.violations).toEqual([]);
});

it("passes over what another replay has sent meanwhile, and its account balances", async () => {
  let isAway = true;
  const first = await leave("first", { url: nowhere });
  await using store = await startReceiverServer({
    defaultAnswer: (request) =>
      isAway && valuesOf(first, [request]).length > 0 ? { status: 503 } : storedAnswer(request),
  });
  const second = await leave("second", { url: nowhere });
  const args = ["replay", "--spool-dir", spoolDir, ...out(store.url)];
  const both = [...args, "first", "second", "--json"];
  await using slow = startPlimsoll(both, { folder: folder.path });
  await store.waitForRequests(1);
  const quick = await replay("second", ...out(store.url));
  expect(quick.exitCode, quick.stderr).toBe(0);
  isAway = false;
  const { exitCode, stderr, stdout } = await slow.result;
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain(`${second.directory} is gone: another process has sent or removed it`);
  const { spools }: { spools: SentReport[] } = JSON.parse(stdout);
  expect(spools.map(({ testid, points, delivered }) => [testid, points, delivered])).toEqual([
    ["first", 3, 3],
  ]);
  expect(valuesOf(second, store.requests)).toEqual([1, 2, 3]);
  expect(await readdir(spoolDir)).toEqual([]);
});

it("removes what nobody wants with --discard, and only what is named", async () => {
  const run = await leave("useless");
  const other = await leave("useful");
  const { exitCode, stderr } = await replay("useless", "--discard", ...out(receiver.url));
  expect(exitCode).toBe(0);
  expect(stderr).toContain(
    `removed ${run.directory}: 3 requests with 3 points that no receiver has`,
  );
  expect([existsSync(run.directory), existsSync(other.directory)]).toEqual([false, true]);
  expect((await replay("--discard")).exitCode).toBe(2);
  expect(receiver.requests).toEqual([]);
});

it("removes the rest where a spool cannot be removed, and exits with that", async () => {
  const busy = await leave("busy");
  await using spool = await RunSpool.open(busy.directory);
  void spool;
  const idle = await leave("idle");
  const result = await replay("busy", "idle", "--discard", ...out(receiver.url));
  expect(result.exitCode).toBe(4);
  expect(result.stderr).toContain(`is in use by process ${process.pid}`);
  expect([existsSync(busy.directory), existsSync(idle.directory)]).toEqual([true, false]);
});

it("refuses one queue of a run that is going on", async () => {
  const { directory } = await leave("running", { queues: 2 });
  await using spool = await RunSpool.open(directory);
  const { stderr, exitCode } = await replay(join(directory, "queue-1-of-2"), ...out(receiver.url));
  expect(exitCode, stderr).toBe(4);
  expect(stderr).toContain(`is one queue of the spool ${JSON.stringify(directory)}`);
  expect(receiver.requests).toEqual([]);
  expect(spool.pending.batches).toBe(6);
});

it.each([
  { what: "an unknown name", args: ["nobody"], exitCode: 4, says: '"nobody" is neither a run in' },
  { what: "--all and a name", args: ["--all", "x"], exitCode: 2, says: "name runs, or give --all" },
  { what: "a file", args: ["--all", "-o", "json=x"], exitCode: 2, says: "to prometheus-rw only" },
])("refuses $what", async ({ args, exitCode, says }) => {
  const result = await replay(...args);
  expect(result.exitCode).toBe(exitCode);
  expect(result.stderr).toContain(says);
});

it("is pointed to by a run that finds what another has left, and by no run of another receiver", async () => {
  await leave("left-1");
  await leave("left-2");
  const file = join(folder.path, "samples.json");
  await writeFile(file, samples());
  const ingest = (url: string) =>
    runPlimsoll(["ingest", file, "--spool-dir", spoolDir, ...out(url)], { folder: folder.path });
  expect((await ingest(receiver.url)).stderr).toContain(
    `the spool ${JSON.stringify(spoolDir)} holds 6 requests of 2 earlier runs for this receiver; ` +
      '"plimsoll replay --all" with the same options sends them',
  );
  await using other = await startReceiverServer();
  const { stderr, exitCode } = await ingest(other.url);
  expect(exitCode).toBe(0);
  expect(stderr).not.toContain("earlier runs");
});

it("finds no secret on the disk, and sends those of today", async () => {
  await writeFile(join(folder.path, "samples.json"), samples());
  const secret = (word: string) => [
    "--remote-write-username",
    "ann",
    `--remote-write-password=${word}-password`,
    `--remote-write-header=X-Key:${word}-header`,
  ];
  const url = new URL(receiver.url);
  url.search = "?token=yesterday-query";
  const before = ["--no-preflight", "--drain-timeout", "0s", "--spool-dir", spoolDir];
  const dead = await startReceiverServer({ defaultAnswer: () => "hang" });
  const deadUrl = dead.url + url.search;
  const args = ["ingest", "samples.json", "--testid", "secret", ...before, ...out(deadUrl)];
  const left = await runPlimsoll([...args, ...secret("yesterday")], { folder: folder.path });
  expect(left.exitCode, left.stderr).toBe(3);
  await dead[Symbol.asyncDispose]();
  const files = (await readdir(spoolDir, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(2);
  for (const { parentPath, name } of files) {
    expect(await readFile(join(parentPath, name), "latin1")).not.toContain("yesterday");
  }
  const { exitCode, stderr } = await replay("secret", ...out(url.href), ...secret("today"));
  expect(exitCode, stderr).toBe(0);
  const [request] = receiver.requests;
  expect(request?.path).toContain("?token=");
  expect(request?.headers["x-key"]).toBe("today-header");
  const basic = Buffer.from("ann:today-password").toString("base64");
  expect(request?.headers.authorization).toBe(`Basic ${basic}`);
});

function samples(): string {
  const data = { name: "http_reqs", type: "counter", contains: "default" };
  const point = { time: new Date(Date.now() - 5_000).toISOString(), value: 1, tags: {} };
  return [
    { type: "Metric", metric: "http_reqs", data },
    { type: "Point", metric: "http_reqs", data: point },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}
