/**
 * Generators that push 500 series each, all at the same moment of each second, to one server that has one core: how soon
 * they are answered, what it takes, and what gives way first when more and more of them come.
 *
 * In:  CLOUD_GENERATORS, CLOUD_RUNS (each run has as many generators as fit), CLOUD_MINUTES.
 * Out: figures; nothing fails on them but a push that is refused.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Agent, request } from "undici";
import { startCloudServer, type CloudServer } from "../support/cloud-server.ts";
import { encodeMetricSet, type PushedMetric } from "../support/encode-metric-set.ts";

const generators = Number(process.env["CLOUD_GENERATORS"]);
const runCount = Number(process.env["CLOUD_RUNS"]);
const minutes = Number(process.env["CLOUD_MINUTES"]);

/** As k6 has them: each endpoint with the nine metrics of its requests, each VU's iterations, and gauges. */
const endpoints = 50;
const metrics: readonly (readonly [
  name: string,
  type: PushedMetric["type"],
  values: readonly number[],
])[] = [
  ["http_reqs", "counter", [1, 1, 1]],
  ["http_req_failed", "rate", [0, 0, 1]],
  ["http_req_duration", "trend", [12.1, 48.3, 130.9]],
  ["http_req_blocked", "trend", [0.01, 0.02, 0.01]],
  ["http_req_connecting", "trend", [0, 0, 0]],
  ["http_req_tls_handshaking", "trend", [0, 0, 0]],
  ["http_req_sending", "trend", [0.05, 0.04, 0.08]],
  ["http_req_waiting", "trend", [11.9, 48, 130.1]],
  ["http_req_receiving", "trend", [0.1, 0.2, 0.7]],
  ["checks", "rate", [1, 1, 0]],
];
const seriesCount = metrics.length * endpoints;

interface Generator {
  readonly url: string;
  readonly token: string;
}

it("answers pushes", { timeout: (minutes + 10) * 60_000 }, async () => {
  await using store = await startStore();
  await using server = await startCloudServer({
    writeUrl: store.url,
    wrapper: ["taskset", "--cpu-list", "0"],
  });
  const fleet = await createGenerators(server, generators, runCount);
  console.log(`${seriesCount} series each, a push a second, all at once; the server on one core`);
  const main = await push(server, fleet, minutes * 60);
  print(main);
  expect(main.failures).toEqual([]);
  console.log("what gives way when more come:");
  for (let count = generators * 2; count <= generators * 8; count *= 2) {
    const added = count - fleet.length;
    fleet.push(...(await createGenerators(server, added, Math.min(added, runCount))));
    const step = await push(server, fleet, 20);
    print(step);
    if (step.failures.length > 0 || quantile(step.latenciesMs, 0.5) > 1_000) break;
  }
});

/** As many runs, each with its share of the generators, which have names where it has several. */
async function createGenerators(
  server: CloudServer,
  count: number,
  runs: number,
): Promise<Generator[]> {
  const created: Generator[] = [];
  for (let run = 0; run < runs; run++) {
    const answer = await server.ask("POST", "/runs", { test: "bench" });
    const { run: made, token }: CreatedRun = JSON.parse(await answer.text());
    const own = Math.floor((count * (run + 1)) / runs) - Math.floor((count * run) / runs);
    for (let at = 0; at < own; at++) {
      const prefix = own === 1 ? "" : `/agents/generator-${at}`;
      created.push({ url: `${server.url}${prefix}/v2/metrics/${made.id}`, token });
    }
  }
  return created;
}

interface CreatedRun {
  readonly run: { readonly id: number };
  readonly token: string;
}

interface Measured {
  readonly generators: number;
  readonly seconds: number;
  /** Of the pushes that were answered 2xx. */
  readonly latenciesMs: readonly number[];
  readonly failures: readonly string[];
  /** Pushes that were not due yet for want of an answer to the one before. */
  readonly skipped: number;
  readonly cpuPerPushMs: number;
  /** Of the server's one core. */
  readonly cpuShare: number;
  readonly maxRssMb: number;
  /** How late timers of the server fire: p99. */
  readonly lagMs: number;
}

/** Every second all generators push at once; one that waits for an answer does not, as k6 does not. */
async function push(
  server: CloudServer,
  fleet: readonly Generator[],
  seconds: number,
): Promise<Measured> {
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  const agent = new Agent({ connections: fleet.length });
  const { pid } = server.process;
  const cpuBefore = cpuSeconds(pid);
  let maxRssMb = 0;
  const startMs = Date.now();
  const underWay = new Map<Generator, Promise<void>>();
  let skipped = 0;
  for (let second = 1; second <= seconds; second++) {
    await delay(startMs + second * 1_000 - Date.now());
    const body = encodeMetricSet(bucketsOf(Math.floor(startMs / 1_000) + second - 1));
    const describe = (sentMs: number, text: string): string =>
      `second ${second}, after ${(performance.now() - sentMs).toFixed(0)} ms: ${text}`;
    const send = async ({ url, token }: Generator, at: number): Promise<void> => {
      const sentMs = performance.now();
      const headers = {
        Authorization: `Token ${token}`,
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "K6-Idempotency-Key": `${at}-${second}`,
      };
      try {
        const answer = await request(url, { method: "POST", headers, body, dispatcher: agent });
        const text = await answer.body.text();
        if (answer.statusCode < 300) latenciesMs.push(performance.now() - sentMs);
        else failures.push(describe(sentMs, `${answer.statusCode} ${text}`));
      } catch (error) {
        failures.push(describe(sentMs, inspect(error, { breakLength: Infinity })));
      }
    };
    for (const [at, generator] of fleet.entries()) {
      if (underWay.has(generator)) skipped++;
      else
        underWay.set(
          generator,
          send(generator, at).finally(() => underWay.delete(generator)),
        );
    }
    maxRssMb = Math.max(maxRssMb, rssMb(pid));
  }
  await Promise.all(underWay.values());
  const elapsedSeconds = (Date.now() - startMs) / 1_000;
  const metrics = await fetch(`${server.url}/metrics`, {
    headers: { Authorization: `Bearer ${server.adminToken}` },
  });
  const lag = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await metrics.text())?.[1];
  await agent.close();
  return {
    generators: fleet.length,
    seconds,
    latenciesMs,
    failures,
    skipped,
    cpuShare: (cpuSeconds(pid) - cpuBefore) / elapsedSeconds,
    cpuPerPushMs: ((cpuSeconds(pid) - cpuBefore) * 1_000) / latenciesMs.length,
    maxRssMb,
    lagMs: Number(lag) * 1_000,
  };
}

function bucketsOf(seconds: number): PushedMetric[] {
  return metrics.map(([name, type, values]) => ({
    name,
    type,
    series: Array.from({ length: endpoints }, (_, endpoint) => ({
      tags: {
        name: `/products/${endpoint}`,
        method: "GET",
        status: "200",
        scenario: "default",
        expected_response: "true",
        ...(name === "checks" && { check: "answers 200" }),
      },
      values: [{ seconds, values }],
    })),
  }));
}

function print(measured: Measured): void {
  const { generators: count, seconds, latenciesMs, failures, skipped, maxRssMb, lagMs } = measured;
  const cpu = `${(measured.cpuShare * 100).toFixed(0)} %, ${measured.cpuPerPushMs.toFixed(1)} ms a push`;
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(latenciesMs, q).toFixed(0));
  console.log(
    `${count} generators, ${seconds} s: ${latenciesMs.length} pushes stored, ${failures.length} failed, ${skipped} late; ` +
      `answered in p50 ${p50} ms, p99 ${p99} ms, max ${max} ms; processor ${cpu}, ` +
      `memory ${maxRssMb.toFixed(0)} MB, event loop late by p99 ${lagMs.toFixed(0)} ms`,
  );
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

/** User and system time. Source: proc(5), `/proc/PID/stat`, fields 14 and 15, in hundredths of a second. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

/** A store that takes all, and keeps nothing: what is measured is the server. */
async function startStore(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((incoming, response) => {
    // What remote write 2.0 asks a receiver to say.
    const written = {
      "X-Prometheus-Remote-Write-Samples-Written": "1000000",
      "X-Prometheus-Remote-Write-Histograms-Written": "1000000",
    };
    incoming.resume().on("end", () => response.writeHead(204, written).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return {
    url: `http://127.0.0.1:${address.port}/api/v1/write`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
