/**
 * How the commands behave, from the outside: signals, progress, flags, and a receiver that comes and goes.
 */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DryRunReport } from "../../src/cli/dry-run.ts";
import { formatCount } from "../../src/cli/format.ts";
import { spoolFolder } from "../../src/output/spool-folder.ts";
import { plimsollCommand, runPlimsoll, startPlimsoll, words } from "../support/plimsoll.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import { receivedNames, receivedValue } from "../support/received-points.ts";
import {
  type ReceivedRequest,
  type ReceiverServer,
  startReceiverServer,
  storedAnswer,
} from "../support/receiver-server.ts";
import { readTable, uncode } from "../support/markdown.ts";
import { expectAccounted, readReport, reportFields } from "../support/run-report.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

/** Long enough that a test ends it. */
const endless = "10m";

let folder: TemporaryFolder;
let target: Target;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  target = await startTarget();
  await mkdir(join(folder.path, "tmp"));
  await writeFile(
    join(folder.path, "load.js"),
    `import http from "k6/http";
     export default function () { http.get("${target.url}"); }`,
  );
  await writeFile(
    join(folder.path, "stubborn.js"),
    `import http from "k6/http"; import { sleep } from "k6";
     export default function () { http.get("${target.url}"); sleep(0.01); }
     export function teardown() { sleep(50); }`,
  );
});
afterAll(async () => {
  await target[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Target extends AsyncDisposable {
  readonly url: string;
  /** How often it has answered. */
  readonly answers: () => number;
}

/** Answers each request after 2 ms. */
async function startTarget(): Promise<Target> {
  let answers = 0;
  const server = createServer((_, response) => {
    answers += 1;
    setTimeout(() => response.end("ok"), 2);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    answers: () => answers,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

let reports = 0;
/** Where the report of one run goes. */
function reportFile(): string {
  reports += 1;
  return join(folder.path, `report-${reports}.json`);
}

const out = (url: string) => ["--out", `prometheus-rw=${url}`];

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  startPlimsoll(args, {
    folder: folder.path,
    env: { TMPDIR: join(folder.path, "tmp"), ...env },
  });

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runPlimsoll(args, { folder: folder.path, env });

/** The store has samples of the run: its load is on. */
async function hasBegun(receiver: ReceiverServer): Promise<void> {
  await expect
    .poll(() => receivedValue(receiver.requests, requestCounter), { timeout: 20_000 })
    .toBeGreaterThan(0);
}

const requestCounter = { __name__: "k6_http_reqs_total" };

/** Processes whose command line has the folder's path, which no other test's have. */
function processesOf(program: string): string[] {
  return execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.startsWith(program) && line.includes(folder.path));
}

describe.each(["k6-2", "k6-1"] as const)("%s", (tool) => {
  describeWithTool(tool, "a run of a script", (k6) => {
    const script = (name: string) => ["run", join(folder.path, name), "--k6", k6];
    const long = ["--vus", "2", "--duration", endless];

    it.each(["SIGINT", "SIGTERM"] as const)(
      "ends in order at the first %s, with k6's exit code and every sample",
      async (signal) => {
        await using receiver = await startReceiverServer();
        const path = reportFile();
        const args = [...script("load.js"), ...long, ...out(receiver.url), "--report", path];
        await using plimsoll = start(args);
        await hasBegun(receiver);
        plimsoll.kill(signal);
        const { exitCode, stderr, stdout } = await plimsoll.result;

        expect(exitCode).toBe(105);
        expect(stderr).toContain("plimsoll: stopping the load; Ctrl-C again leaves at once");
        expect(stdout).toContain("http_reqs");
        const report = await readReport(path);
        expect(report).toMatchObject({ state: "aborted_by_user", generatorExitCode: 105 });
        expect(report.reconciliation?.differences).toEqual([]);
        expect(report.reconciliation?.compared).toBeGreaterThan(3);
        expectAccounted(report);
        expect(report.points.delivered).toBe(report.points.encoded);
        expect(receivedValue(receiver.requests, requestCounter)).toBe(
          report.summary["http_reqs"]?.["count"],
        );
        expect(processesOf(k6)).toEqual([]);
        expect(await readdir(join(folder.path, "tmp"))).toEqual([]);
      },
    );

    it("leaves at once at the second Ctrl-C, with no k6 behind it, and keeps the spool", async () => {
      await using receiver = await startFailingReceiver();
      const spool = join(folder.path, `spool-of-${tool}`);
      const args = [...script("stubborn.js"), ...long, ...out(receiver.url), "--spool-dir", spool];
      await using plimsoll = start([...args, "--testid", "twice"]);
      // The first request, of zeros, is tried again and again.
      await expect
        .poll(() => receivedNames(receiver.requests), { timeout: 20_000 })
        .toContain("k6_http_reqs_total");
      expect(processesOf(k6)).toHaveLength(1);

      plimsoll.kill("SIGINT");
      await plimsoll.waitFor("stopping the load");
      plimsoll.kill("SIGINT");
      const { exitCode, stderr } = await plimsoll.result;

      expect(exitCode).toBe(130);
      const left = spoolFolder(spool, "twice", receiver.url);
      expect(stderr).toContain(`plimsoll: left at once; what was not sent is in ${left}\n`);
      // Killed processes are gone when their parent, which is none of ours any more, has seen it.
      await expect.poll(() => processesOf(k6), { timeout: 20_000 }).toEqual([]);
      expect(await readdir(left)).toContainEqual(expect.stringMatching(/\.segment$/));
      expect(await readdir(join(folder.path, "tmp"))).toEqual([]);
    });

    it("hands k6 its flags, and the tags to k6 and to the labels", async () => {
      await using receiver = await startReceiverServer();
      const { path } = folder;
      const reportPath = reportFile();
      const { exitCode, stdout, stderr } = await run([
        ...words(`run --iterations 3 --vus=1 --k6 ${k6} --tag team=shop --testid flags`),
        ...words(`--out json=${join(path, "k6.json")} -o csv=${join(path, "k6.csv")}`),
        ...words(`--summary-export ${join(path, "summary.json")} --report ${reportPath} --quiet`),
        // So that what k6 wrote beside it gives the same numbers to the last digit.
        ...words(`--test checkout --k6-samples lines ${join(path, "load.js")}`),
        ...out(receiver.url),
        // k6 v1 would warn of its fixed port, where another test's k6 has it.
        ...words("-- --tag own=k6 --no-thresholds --address 127.0.0.1:0"),
      ]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("http_reqs");

      const labels = {
        ...requestCounter,
        team: "shop",
        own: "k6",
        testid: "flags",
        test: "checkout",
      };
      expect(receivedValue(receiver.requests, labels)).toBe(3);
      const summary = JSON.parse(await readFile(join(path, "summary.json"), "utf8"));
      expect(summary.metrics.http_reqs.count).toBe(3);
      expect(await readFile(join(path, "k6.csv"), "utf8")).toContain("http_reqs");
      expect(await readFile(join(path, "k6.json"), "utf8")).toContain('"team":"shop"');
      const report = await readReport(reportPath);
      expect(report).toMatchObject({ testid: "flags", test: "checkout", state: "finished" });
      const documented = await readTable("cli.md", "## The report");
      expect(reportFields(report).sort()).toEqual(
        documented.map(([field]) => uncode(field)).sort(),
      );

      // What k6 wrote beside it is the same run.
      const again = reportFile();
      const ingest = ["ingest", join(path, "k6.json"), ...out(receiver.url), "--report", again];
      expect(await run(ingest)).toMatchObject({ exitCode: 0 });
      expect((await readReport(again)).summary).toEqual(report.summary);
    });

    it("needs no flag where K6_PROMETHEUS_RW_SERVER_URL is set, and takes --tag testid", async () => {
      await using receiver = await startReceiverServer();
      const args = [...script("load.js"), "--iterations", "1", "--tag", "testid=from-tag"];
      const { exitCode } = await run(args, { K6_PROMETHEUS_RW_SERVER_URL: receiver.url });
      expect(exitCode).toBe(0);
      const labels = { ...requestCounter, testid: "from-tag", test: "load" };
      expect(receivedValue(receiver.requests, labels)).toBe(1);
    });

    it("says in one renewed line how it goes, on a terminal of any width", async () => {
      await using receiver = await startReceiverServer();
      const args = [...script("load.js"), "--vus", "2", "--duration", "5s", ...out(receiver.url)];
      const command = plimsollCommand(args).map((word) => `'${word}'`);
      // util-linux' script gives it a terminal.
      const { stdout } = await promisify(execFile)(
        "script",
        ["-qec", `stty cols 60; ${command.join(" ")}`, "/dev/null"],
        { cwd: folder.path, env: { PATH: process.env["PATH"], HOME: folder.path } },
      );
      const [, shown = ""] = /samples to \S+\r\n(.*)/s.exec(stdout) ?? [];
      const renewals = shown.split("\r\u001b[K");
      // k6's summary begins on an empty line.
      const lines = renewals.slice(
        0,
        renewals.findIndex((text) => text.includes("http_reqs")),
      );
      expect(lines.length).toBeGreaterThan(3);
      // Samples come a second at a time, and before the first there is nothing to say.
      const first = lines.findIndex((line) => line.includes("req/s"));
      for (const [at, line] of lines.entries()) {
        expect(line).toMatch(
          at < first ? /^00:0\d · receiver ok · 0 pending · 0 samples in/ : /^00:0\d · .*\d req\/s/,
        );
        expect(line).not.toContain("\n");
        expect(line.length).toBeLessThan(60);
      }
      expect(lines.at(-1)).toMatch(/2 VUs · [\d ]+ req\/s · p95 .* · failed 0\.00 %/);
    });
  });
});

describe("a run of a URL", () => {
  const load = (...more: string[]) => ["run", target.url, "--vus", "3", ...more];

  it("says nothing where it is asked to be quiet", async () => {
    await using receiver = await startReceiverServer();
    const result = await run(load("--duration", "500ms", "--quiet", ...out(receiver.url)));
    expect(result).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends in order at the first %s", async (signal) => {
    await using receiver = await startReceiverServer();
    const path = reportFile();
    await using plimsoll = start(
      load("--duration", endless, "--report", path, ...out(receiver.url)),
    );
    await hasBegun(receiver);
    plimsoll.kill(signal);
    expect((await plimsoll.result).exitCode).toBe(0);
    const report = await readReport(path);
    expect(report).toMatchObject({ state: "aborted_by_user", reconciliation: { differences: [] } });
    expect(receivedValue(receiver.requests, requestCounter)).toBe(
      report.summary["http_reqs"]?.["count"],
    );
    expect(receiver.violations).toEqual([]);
  });

  it("leaves at once at the second Ctrl-C, also while it delivers", async () => {
    await using receiver = await startFailingReceiver();
    await using plimsoll = start(load("--duration", "1s", ...out(receiver.url)));
    await plimsoll.waitFor(/^delivering the rest · receiver away .* · http_503 · /m);
    plimsoll.kill("SIGINT");
    await plimsoll.waitFor("delivering what is pending; Ctrl-C again leaves at once");
    plimsoll.kill("SIGINT");
    expect((await plimsoll.result).exitCode).toBe(130);
  });

  it("shows and writes its report where a file of samples beside it cannot be written, and then fails", async () => {
    await using receiver = await startReceiverServer();
    const path = reportFile();
    const args = load("--duration", "500ms", "--out", "json=/dev/full", "--report", path);
    const { exitCode, stderr } = await run([...args, ...out(receiver.url)]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      /samples {2}[\d ]+ read = .*\n(.*\n)*.*the JSON output is incomplete: ENOSPC/,
    );
    expect(await readReport(path)).toMatchObject({ state: "finished" });
  });

  it("prints plain lines where there is no terminal", async () => {
    await using receiver = await startReceiverServer();
    await using plimsoll = start(load("--duration", endless, ...out(receiver.url)));
    const line =
      /^00:\d\d · 3 VUs · [\d ]+ req\/s · p95 \S+ ms · failed 0\.00 % · receiver ok · [\d ]+ pending · [\d ]+ samples in · [\d ]+ points delivered\n/m;
    await plimsoll.waitFor(line);
    plimsoll.kill("SIGINT");
    const { stderr } = await plimsoll.result;
    expect(stderr).not.toContain("\r");
  });

  it("serves its own account while it runs, the same as the report's in the end", async () => {
    await using receiver = await startFailingReceiver();
    const path = reportFile();
    await using plimsoll = start(
      load(
        ...words("--duration 1s --metrics-listen 127.0.0.1:0 --drain-timeout 1s --report"),
        path,
        ...out(receiver.url),
      ),
    );
    await plimsoll.waitFor(/own metrics at \S+\n/);
    const [, url = ""] = /own metrics at (\S+)/.exec(plimsoll.stderr) ?? [];
    let ended = false;
    const exit = plimsoll.result.finally(() => {
      ended = true;
    });
    const scrapes: Map<string, number>[] = [];
    while (!ended) {
      const metrics = await scrape(url);
      if (metrics !== undefined) scrapes.push(metrics);
    }
    expect((await exit).exitCode).toBe(3);

    const report = await readReport(path);
    const last = scrapes.at(-1);
    expect(last?.get("plimsoll_samples_read_total")).toBe(report.samples.read);
    expect(last?.get("plimsoll_samples_aggregated_total")).toBe(report.samples.aggregated);
    expect(last?.get("plimsoll_series")).toBe(report.series.made);
    expect(last?.get("plimsoll_remote_write_samples_total")).toBe(report.points.encoded);
    expect(last?.get("plimsoll_remote_write_samples_pending")).toBe(report.points.pending);
    expect(last?.get("plimsoll_generator_resident_memory_bytes")).toBeGreaterThan(0);
    expect(last?.get("process_resident_memory_bytes")).toBeGreaterThan(0);
    const seen = new Set(scrapes.map((metrics) => metrics.get("plimsoll_samples_read_total")));
    expect(seen.size).toBeGreaterThan(3);
    expect((await fetch(target.url)).ok).toBe(true);
  });

  it("starts without asking the receiver where it is told not to", async () => {
    await using receiver = await startReceiverServer();
    const args = load("--duration", "500ms", "--no-preflight", ...out(receiver.url));
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      "the receiver was not asked what it takes (--no-preflight): sending remote write 1.0 with trends classic",
    );
    expect(receivedNames(receiver.requests)).not.toContain("plimsoll_probe");
    expect(receivedValue(receiver.requests, requestCounter)).toBeGreaterThan(0);
  });

  it("delivers all of it when the receiver comes back, and says that it is away", async () => {
    let away = false;
    await using receiver = await startReceiverServer({
      defaultAnswer: (request) => (away ? "reset" : storedAnswer(request)),
    });
    const path = reportFile();
    await using plimsoll = start(
      load("--duration", endless, "--report", path, ...out(receiver.url)),
    );
    await hasBegun(receiver);
    away = true;
    await plimsoll.waitFor(
      / · receiver away 00:0\d · connection_reset · 3 VUs .* · [1-9][\d ]* pending · /,
    );
    away = false;
    await plimsoll.waitFor(/away.*\n(.*\n)*.* · receiver ok · /);
    plimsoll.kill("SIGINT");
    expect((await plimsoll.result).exitCode).toBe(0);
    const report = await readReport(path);
    expect(report.points).toMatchObject({ delivered: report.points.encoded, pending: 0 });
    expect(receivedValue(receiver.requests, requestCounter)).toBe(
      report.summary["http_reqs"]?.["count"],
    );
    expect(receiver.violations).toEqual([]);
  });

  it("keeps what a receiver that stays away does not take, for the next of the same run", async () => {
    let away = false;
    const delivered: ReceivedRequest[] = [];
    await using receiver = await startReceiverServer({
      defaultAnswer: (request) => {
        if (away) return { status: 503, body: "starting" };
        delivered.push(request);
        return storedAnswer(request);
      },
    });
    const path = reportFile();
    await using plimsoll = start(
      load(
        ...words(`--duration ${endless} --drain-timeout 1s --testid later --report ${path}`),
        ...out(receiver.url),
      ),
    );
    await hasBegun(receiver);
    away = true;
    const before = receiver.requests.length;
    await receiver.waitForRequests(before + 1);
    plimsoll.kill("SIGINT");
    const { exitCode, stderr } = await plimsoll.result;
    expect(exitCode).toBe(3);
    const report = await readReport(path);
    expectAccounted(report);
    expect(report.points.pending).toBeGreaterThan(0);
    expect(stderr).toContain(
      `what is pending stays in the spool, ${report.spoolDirectory}; "plimsoll replay later" with these options sends it, as does a run with --testid later`,
    );

    away = false;
    delivered.length = 0;
    await writeFile(join(folder.path, "later.json"), point("http_reqs", Date.now(), 1));
    const args = ["ingest", "later.json", "--testid", "later", ...out(receiver.url)];
    const later = await run(args);
    expect(later.stderr).toMatch(/holds \d+ requests of an earlier process of this run/);
    expect(later.exitCode).toBe(0);
    // What waited comes first: only the run before has durations, and only its requests have a status.
    const lastOfBefore = delivered.findLastIndex((request) =>
      receivedNames([request]).includes("k6_http_req_duration_seconds"),
    );
    const firstOfLater = delivered.findIndex(({ series }) =>
      series.some(
        ({ labels }) =>
          labels.some(({ value }) => value === "k6_http_reqs_total") &&
          !labels.some(({ name }) => name === "status"),
      ),
    );
    expect(lastOfBefore).toBeGreaterThanOrEqual(0);
    expect(firstOfLater).toBeGreaterThan(lastOfBefore);
    expect(receivedValue(delivered, { ...requestCounter, status: "200" })).toBe(
      report.summary["http_reqs"]?.["count"],
    );
    expect(later.stderr).toContain(`${formatCount(report.points.pending)} found in the spool = `);
  });
});

describeWithTool("prometheus-3", "a run of a URL into Prometheus", (program) => {
  it("counts what autocannon counted, and so does an ingest of the samples beside it", async () => {
    await using prometheus = await startPrometheus({ program });
    const samples = join(folder.path, "samples.json.gz");
    const path = reportFile();
    const args = ["run", target.url, "--vus", "4", "--duration", "2s", "--testid", "url"];
    const before = target.answers();
    const { exitCode } = await run([
      ...args,
      ...out(prometheus.writeUrl),
      "--out",
      `json=${samples}`,
      "--report",
      path,
    ]);
    expect(exitCode).toBe(0);
    const report = await readReport(path);
    const count = report.summary["http_reqs"]?.["count"] ?? 0;
    expect(report.reconciliation).toEqual({ compared: 2, differences: [] });
    // The target has also seen what was under way at the end.
    expect(target.answers() - before - count).toBeLessThanOrEqual(4);
    expect(target.answers() - before - count).toBeGreaterThanOrEqual(0);
    await expectCounts(prometheus, "url", count);

    const ingest = ["ingest", samples, "--testid", "file", ...out(prometheus.writeUrl)];
    expect(await run(ingest)).toMatchObject({ exitCode: 0 });
    await expectCounts(prometheus, "file", count);
  });

  async function expectCounts(store: MetricsStore, testid: string, count: number): Promise<void> {
    const last = async (series: string) => {
      const results = await store.query(`sum(last_over_time(${series}[5m]))`);
      return results.map(({ value }) => value);
    };
    const labels = `testid="${testid}"`;
    expect(await last(`k6_http_reqs_total{${labels},status="200"}`)).toEqual([count]);
    expect(await last(`k6_iterations_total{${labels}}`)).toEqual([count]);
    expect(await last(`k6_http_req_failed_total{${labels},condition="nonzero"}`)).toEqual([0]);
    expect(await last(`plimsoll_run_summary{${labels},metric="http_reqs"}`)).toEqual([count]);
  }
});

describe("an ingest", () => {
  it("shows what it would send, and sends nothing, in a dry run", async () => {
    await using receiver = await startReceiverServer();
    const content = [1, 2, 3].map((value) => point("http_reqs", Date.now(), value)).join("");
    await writeFile(join(folder.path, "dry.json"), content);
    const args = ["ingest", "dry.json", "--dry-run", "--tag", "team=shop", ...out(receiver.url)];

    const text = await run(args);
    expect(text).toMatchObject({ exitCode: 0, stderr: "" });
    expect(text.stdout).toMatch(/^run +dry-\S+ \(test dry\); nothing was sent$/m);
    expect(text.stdout).toMatch(/^samples +3 read = 3 aggregated \+ 0 dropped$/m);
    expect(text.stdout).toMatch(/^http_reqs +counter +1 +k6_http_reqs_total$/m);
    expect(text.stdout).toMatch(/^team +1 +1 +"shop"$/m);

    const json = await run([...args, "--json"]);
    const report: DryRunReport = JSON.parse(json.stdout);
    expect(report).toMatchObject({
      test: "dry",
      samples: { read: 3, aggregated: 3, late: 0, dropped: {} },
      series: 1,
      overflowed: 0,
      metrics: [{ metric: "http_reqs", type: "counter", series: 1, names: ["k6_http_reqs_total"] }],
    });
    expect(report.labels).toContainEqual({
      label: "team",
      values: 1,
      series: 1,
      examples: ["shop"],
    });
    expect(report.requests).toBeGreaterThan(0);
    expect(report.bytes).toBeGreaterThan(0);
    expect(receiver.requests).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("follows a file that grows, until %s", async (signal) => {
    await using receiver = await startReceiverServer();
    const file = join(folder.path, `growing-${signal}.json`);
    await writeFile(file, point("http_reqs", Date.now(), 1));
    const path = reportFile();
    await using plimsoll = start([
      "ingest",
      file,
      "--follow",
      ...out(receiver.url),
      "--report",
      path,
    ]);
    await valueBecomes(receiver, 1);
    await appendFile(file, point("http_reqs", Date.now(), 10));
    await valueBecomes(receiver, 11);
    // Half a line is no line yet.
    const [begin, end] = halves(point("http_reqs", Date.now(), 100));
    await appendFile(file, begin);
    await appendFile(file, end);
    await valueBecomes(receiver, 111);
    plimsoll.kill(signal);
    const { exitCode, stderr } = await plimsoll.result;
    expect(stderr).toContain("ending after what was read; Ctrl-C again leaves at once");
    expect(exitCode).toBe(0);
    expect(await readReport(path)).toMatchObject({
      state: "aborted_by_user",
      samples: { read: 3, aggregated: 3 },
    });
  });

  it("leaves at once at the second Ctrl-C, and keeps the spool", async () => {
    await using receiver = await startFailingReceiver();
    const file = join(folder.path, "growing-twice.json");
    await writeFile(file, point("http_reqs", Date.now(), 1));
    await using plimsoll = start([
      "ingest",
      file,
      "--follow",
      "--testid",
      "growing",
      ...out(receiver.url),
    ]);
    await expect
      .poll(() => receivedNames(receiver.requests), { timeout: 20_000 })
      .toContain("k6_http_reqs_total");
    plimsoll.kill("SIGINT");
    await plimsoll.waitFor("Ctrl-C again leaves at once");
    plimsoll.kill("SIGINT");
    const { exitCode, stderr } = await plimsoll.result;
    expect(exitCode).toBe(130);
    const [, spool = ""] = /what was not sent is in (.*)\n/.exec(stderr) ?? [];
    expect(await readdir(spool)).toContainEqual(expect.stringMatching(/\.segment$/));
  });

  it.each(["a named pipe", "standard input"])("delivers while %s is open", async (kind) => {
    await using receiver = await startReceiverServer();
    const pipe = join(folder.path, "pipe");
    if (kind === "a named pipe") execFileSync("mkfifo", [pipe]);
    const args = ["ingest", kind === "a named pipe" ? pipe : "-", ...out(receiver.url)];
    await using plimsoll = startPlimsoll(args, { folder: folder.path, isStdinOpen: true });
    const writer = kind === "a named pipe" ? createWriteStream(pipe) : plimsoll.stdin;
    writer.write(point("http_reqs", Date.now(), 1));
    await valueBecomes(receiver, 1);
    writer.write(point("http_reqs", Date.now(), 10));
    await valueBecomes(receiver, 11);
    writer.end();
    expect((await plimsoll.result).exitCode).toBe(0);
    const state = { __name__: "plimsoll_run_state", state: "finished" };
    expect(receivedValue(receiver.requests, state)).toBe(1);
  });

  async function valueBecomes(receiver: ReceiverServer, value: number): Promise<void> {
    await expect
      .poll(() => receivedValue(receiver.requests, requestCounter), { timeout: 20_000 })
      .toBe(value);
  }
});

/** Takes the questions before a run, and then nothing. */
function startFailingReceiver(): Promise<ReceiverServer> {
  return startReceiverServer({
    defaultAnswer: (request) =>
      isProbe(request.series) ? storedAnswer(request) : { status: 503, body: "full" },
  });
}

function isProbe(series: ReceivedRequest["series"]): boolean {
  return series.every(({ labels }) =>
    labels.some(({ name, value }) => name === "__name__" && value.startsWith("plimsoll_probe")),
  );
}

/** A line of k6's. */
function point(metric: string, timeMs: number, value: number): string {
  const data = { time: new Date(timeMs).toISOString(), value, tags: { name: "/" } };
  return `${JSON.stringify({ metric, type: "Point", data })}\n`;
}

function halves(text: string): readonly [string, string] {
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)];
}

/** Each metric's sum over its series; `undefined` where nobody answers. */
async function scrape(url: string): Promise<Map<string, number> | undefined> {
  try {
    const text = await (await fetch(url)).text();
    const sums = new Map<string, number>();
    for (const [, name = "", value] of text.matchAll(/^(\w+)\{[^}]+\} (\S+)$/gm)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    return sums;
  } catch {
    // The process has ended.
    return undefined;
  }
}
