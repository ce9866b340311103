/**
 * `plimsoll doctor` against real stores, against nobody, and against servers that are not what they should be.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkNames, type Check } from "../../src/doctor/check.ts";
import { RunSpool } from "../../src/spool/run-spool.ts";
import { encodeWriteRequest } from "../support/encode-write-request.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { startVictoriaMetrics } from "../support/victoria-metrics.ts";

let folder: TemporaryFolder;
/** Somebody who takes no samples, and says so at once. */
let nowhere: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  nowhere = await startServer((_, response) => response.writeHead(404).end());
});
afterAll(async () => {
  await nowhere[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Report {
  readonly ok: boolean;
  readonly problems: number;
  readonly warnings: number;
  readonly checks: readonly Check[];
}

/** What the doctor says of a receiver, and the exit code that it says it with. */
async function examine(url: string, ...args: string[]) {
  const all = ["doctor", "--json", "--out", `prometheus-rw=${url}`, ...args];
  const { exitCode, stdout, stderr } = await runPlimsoll(all, { folder: folder.path });
  const report = JSON.parse(stdout || stderr) as Report;
  expect(report.ok).toBe(exitCode === 0);
  expect(exitCode).toBe(report.problems > 0 ? 4 : 0);
  for (const { check, level, text, change } of report.checks) {
    expect(checkNames).toContain(check);
    expect(text).not.toBe("");
    if (level !== "ok") expect(change, check).toMatch(/\w/);
  }
  const found = new Map(report.checks.map((check) => [check.check, check]));
  expect(found.size).toBe(report.checks.length);
  return { ...report, exitCode, stdout, of: (name: Check["check"]) => found.get(name) };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function startServer(handler: Handler): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => handler(request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Stores everything that it is sent. */
function stores(response: ServerResponse): void {
  const count = (kind: string) =>
    response.setHeader(`X-Prometheus-Remote-Write-${kind}-Written`, 1);
  for (const kind of ["Samples", "Histograms", "Exemplars"]) count(kind);
  response.writeHead(204).end();
}

describeWithTool("prometheus-3", "Prometheus 3", (program) => {
  it("finds nothing to complain of, and leaves nothing but its probe", async () => {
    await using prometheus = await startPrometheus({ program });
    const report = await examine(prometheus.writeUrl);
    expect(report.of("receiver")).toMatchObject({
      level: "ok",
      facts: { application: "Prometheus", version: expect.stringMatching(/^3\./) },
    });
    expect(report.of("remote_write")?.facts).toEqual({ versions: ["1.0", "2.0"] });
    expect(report.of("native_histograms")).toMatchObject({ level: "ok", facts: { stored: true } });
    expect(report.of("out_of_order")).toMatchObject({ level: "ok", facts: { window: "0s" } });
    expect(report.of("request_size")).toMatchObject({ level: "ok", facts: { accepted: true } });
    expect(report.of("retention")?.facts).toEqual({ retention: "15d" });
    expect(Math.abs(Number(report.of("clock")?.facts["skewSeconds"]))).toBeLessThan(5);
    expect(report.problems).toBe(0);
    const series = await prometheus.query('{__name__=~".+"}');
    expect(new Set(series.map(({ metric }) => metric["testid"]))).toEqual(
      new Set(["plimsoll-doctor"]),
    );
  });

  it("reads the out-of-order window from its configuration", async () => {
    const config = "storage: {tsdb: {out_of_order_time_window: 30m}}\n";
    await using prometheus = await startPrometheus({ program, config });
    expect((await examine(prometheus.writeUrl)).of("out_of_order")).toMatchObject({
      level: "ok",
      facts: { window: "30m" },
    });
  });

  it("says that its receiver is off, and that it is there", async () => {
    await using prometheus = await startPrometheus({ program, remoteWrite: false });
    const report = await examine(prometheus.writeUrl);
    expect(report.exitCode).toBe(4);
    expect(report.of("receiver")).toMatchObject({
      level: "problem",
      text: expect.stringMatching(/--web\.enable-remote-write-receiver.*Prometheus 3\..* is there/),
      facts: { reason: "http_404" },
    });
    expect(report.of("native_histograms")).toBeUndefined();
  });
});

describeWithTool("prometheus-2", "Prometheus 2", (program) => {
  it("says that it stores no native histograms, and what to change", async () => {
    await using prometheus = await startPrometheus({ program });
    const report = await examine(prometheus.writeUrl);
    expect(report.exitCode).toBe(0);
    expect(report.of("remote_write")?.facts).toEqual({ versions: ["1.0"] });
    expect(report.of("native_histograms")).toMatchObject({
      level: "warning",
      change: expect.stringContaining("--enable-feature=native-histograms"),
      facts: { stored: false },
    });
    expect(report.of("request_size")?.level).toBe("ok");
  });

  it("has a problem with what the options insist on", async () => {
    await using prometheus = await startPrometheus({ program });
    const flags = ["--remote-write-protocol", "2", "--trends", "native"];
    const report = await examine(prometheus.writeUrl, ...flags);
    expect(report.of("remote_write")?.level).toBe("problem");
    expect(report.of("native_histograms")?.level).toBe("problem");
    expect(report.problems).toBe(2);
  });
});

describeWithTool("victoria-metrics", "VictoriaMetrics", (program) => {
  it("knows it by name, finds its silent loss of histograms, and that it takes old samples", async () => {
    await using store = await startVictoriaMetrics({ program });
    const report = await examine(store.writeUrl);
    expect(report.of("receiver")).toMatchObject({ facts: { application: "VictoriaMetrics" } });
    expect(report.of("remote_write")?.facts).toEqual({ versions: ["1.0"] });
    expect(report.of("native_histograms")).toMatchObject({
      level: "warning",
      facts: { stored: false },
    });
    expect(report.of("out_of_order")?.facts).toEqual({ window: null, takenAgeSeconds: 86_400 });
    expect(report.of("request_size")?.level).toBe("ok");
    expect(report.exitCode).toBe(0);
  });
});

describeWithTool("k6-1", "k6", (k6) => {
  it("is found where --k6 says, with its version", async () => {
    const report = await examine(nowhere.url, "--k6", k6);
    expect(report.of("k6")).toMatchObject({
      level: "ok",
      facts: { path: k6, version: expect.stringMatching(/^1\./) },
    });
  });
});

describe("what is no receiver", () => {
  it("is nobody there", async () => {
    const report = await examine("http://127.0.0.1:1/api/v1/write", "--k6", "/nowhere/k6");
    expect(report.of("receiver")).toMatchObject({
      level: "problem",
      facts: { application: null, version: null, reason: "connection_refused" },
    });
    expect(report.of("k6")).toMatchObject({ level: "problem", facts: { path: null } });
    expect(report.problems).toBe(2);
  });

  it("is a web page", async () => {
    await using server = await startServer((_, response) => {
      response.writeHead(200, { "Content-Type": "text/html" }).end("<html>sign in</html>");
    });
    const report = await examine(`${server.url}/api/v1/write`);
    expect(report.of("receiver")).toMatchObject({
      level: "problem",
      facts: { reason: "html_answer" },
    });
  });
});

describe("a receiver", () => {
  it("that wants another password is told apart from one that is wrong", async () => {
    const wanted = `Basic ${Buffer.from("load:right").toString("base64")}`;
    await using server = await startServer(({ headers }, response) => {
      if (headers.authorization === wanted) stores(response);
      else response.writeHead(401).end();
    });
    const url = `${server.url.replace("//", "//load:wrong@")}/api/v1/write`;
    const wrong = await examine(url);
    expect(wrong.of("authentication")).toMatchObject({
      level: "problem",
      facts: { accepted: false },
    });
    expect(wrong.stdout).not.toContain("wrong@");
    const right = await examine(url.replace("wrong", "right"));
    expect(right.of("authentication")).toMatchObject({ level: "ok", facts: { accepted: true } });
  });

  it.each([
    { name: "30 s behind", aheadMs: -30_000, level: "warning" },
    { name: "30 s ahead", aheadMs: 30_000, level: "warning" },
    {
      name: "an hour behind, so that it refuses our points",
      aheadMs: -3_600_000,
      level: "problem",
    },
  ])("whose clock is $name", async ({ aheadMs, level }) => {
    await using server = await startServer((_, response) => {
      response.setHeader("Date", new Date(Date.now() + aheadMs).toUTCString());
      stores(response);
    });
    const clock = (await examine(`${server.url}/api/v1/write`)).of("clock");
    expect(clock).toMatchObject({ level });
    const { skewSeconds, errorSeconds } = clock?.facts ?? {};
    expect(Math.abs(Number(skewSeconds) + aheadMs / 1_000)).toBeLessThanOrEqual(
      Number(errorSeconds) + 0.001,
    );
  });

  it("behind a proxy that refuses large requests", async () => {
    await using server = await startServer(({ headers }, response) => {
      if (Number(headers["content-length"] ?? 0) <= 1_000_000) stores(response);
      else response.writeHead(413).end();
    });
    expect((await examine(`${server.url}/api/v1/write`)).of("request_size")).toMatchObject({
      level: "warning",
      change: expect.stringContaining("client_max_body_size"),
      facts: { accepted: false },
    });
  });

  it("that is Mimir says what its tenant may send", async () => {
    const limits = {
      ingestion_rate: 10_000,
      ingestion_burst_size: 200_000,
      max_global_series_per_user: 5_000,
    };
    const answers: Readonly<Record<string, object>> = {
      "/prometheus/api/v1/status/buildinfo": {
        status: "success",
        data: { application: "Grafana Mimir", version: "2.16.0" },
      },
      "/api/v1/user_limits": limits,
    };
    await using server = await startServer(({ method, url = "" }, response) => {
      const answer = answers[url];
      if (method === "POST") stores(response);
      else if (answer) response.end(JSON.stringify(answer));
      else response.writeHead(404).end();
    });
    const report = await examine(`${server.url}/api/v1/push`, "--max-series", "20000");
    expect(report.of("receiver")).toMatchObject({
      facts: { application: "Grafana Mimir", version: "2.16.0" },
    });
    expect(report.of("limits")).toMatchObject({
      level: "warning",
      facts: { ingestionRate: 10_000, ingestionBurst: 200_000, maxSeries: 5_000 },
    });
  });
});

describe("the spool", () => {
  const batch = (timestampMs: number) =>
    encodeWriteRequest({ protocol: "2", timestampMs, metric: "left", float: 1 });

  it("with what an earlier run left is a warning, and stays as it is", async () => {
    const spoolDir = join(folder.path, "left.spool");
    const directory = join(spoolDir, "checkout-1");
    const spool = await RunSpool.open(directory);
    const [queue] = spool.queues;
    for (const second of [1, 2, 3]) queue?.append(batch(1_700_000_000_000 + second * 1_000));
    queue?.acknowledge(queue.peek()?.sequence ?? NaN);

    const busy = (await examine(nowhere.url, "--spool-dir", spoolDir)).of("spool_data");
    expect(busy).toMatchObject({
      level: "ok",
      facts: { spools: [{ directory, owner: process.pid, requests: 2 }] },
    });
    await spool.close();

    const left = (await examine(nowhere.url, "--spool-dir", spoolDir)).of("spool_data");
    expect(left).toMatchObject({
      level: "warning",
      facts: {
        spools: [
          {
            directory,
            owner: null,
            requests: 2,
            points: 2,
            oldestMs: 1_700_000_002_000,
            newestMs: 1_700_000_003_000,
          },
        ],
      },
    });
    await using again = await RunSpool.open(directory);
    expect(again.recovered).toMatchObject({ batches: 2, truncatedBytes: 0, corruptRecords: 0 });
  });

  it("that would be where a file is cannot be written", async () => {
    const spoolDir = join(process.execPath, "spool");
    expect((await examine(nowhere.url, "--spool-dir", spoolDir)).of("spool")?.level).toBe(
      "problem",
    );
  });

  it("has a limit beyond the room on the disk", async () => {
    const report = await examine(nowhere.url, "--spool-limit", "1000TiB");
    expect(report.of("spool")).toMatchObject({
      level: "warning",
      facts: { freeBytes: expect.any(Number) },
    });
  });
});

it("prints a table, each check with its state, for a person", async () => {
  const args = ["doctor", "--out", `prometheus-rw=${nowhere.url}`];
  const { exitCode, stdout, stderr } = await runPlimsoll(args, { folder: folder.path });
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/^CHECK +STATE +RESULT\nnode +ok +Node \d+\.\d+\.\d+\n/);
  expect(stdout).toMatch(/^receiver +problem +.*HTTP 404.*\n +-> \S/m);
  expect(stderr).toMatch(/^plimsoll: 1 problem, /m);
});
