/**
 * `plimsoll serve` as its users run it: the built program, unmodified k6, a real Prometheus.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCertificate, renewCertificate } from "../../src/server/certificate-files.ts";
import { createHttpServer, defaultHttpLimits } from "../../src/server/http-server.ts";
import { createAuthority, describeWithOpenssl } from "../support/certificates.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
  type PlimsollProcess,
  plimsollCommand,
  runPlimsoll,
  startPlimsoll,
  words,
} from "../support/plimsoll.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import { startReceiverServer } from "../support/receiver-server.ts";
import { startServerHost } from "../support/server-host.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const run = promisify(execFile);

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly process: PlimsollProcess;
}

async function serve(args: readonly string[]): Promise<Served> {
  const process = startPlimsoll(["serve", "--listen", "127.0.0.1:0", ...args], {
    folder: folder.path,
  });
  await process.waitFor(/cloud run --local-execution/);
  const [, url = ""] = /serving at (\S+);/.exec(process.stderr) ?? [];
  return { url, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function tokenIn(text: string): string {
  return /^ {2}(plm_[\w-]{43})$/m.exec(text)?.[1] ?? expect.unreachable(text);
}

interface Target extends AsyncDisposable {
  readonly url: string;
  readonly address: string;
}

/** Something to load. */
async function startTarget(): Promise<Target> {
  const server = createServer((_, response) => void setTimeout(() => response.end(), 5));
  const address = `127.0.0.1:${await portOf(server)}`;
  return {
    url: `http://${address}/`,
    address,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an address of this kind.
  return (server.address() as AddressInfo).port;
}

async function status(url: string, token: string): Promise<number> {
  return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status;
}

it("shows the admin token at the first start alone, and takes those that are made beside it", async () => {
  await using receiver = await startReceiverServer();
  const out = ["--out", `prometheus-rw=${receiver.url}`];
  let token: string;
  {
    await using first = await serve(out);
    token = tokenIn(first.process.stderr);
    expect(await status(`${first.url}/api/v1/tokens`, token)).toBe(200);
    const made = await runPlimsoll(["token", "create", "--name", "ci", "--role", "read"], {
      folder: folder.path,
    });
    expect(made.exitCode, made.stderr).toBe(0);
    const reader = made.stdout.trim();
    expect(await status(`${first.url}/api/v1/runs`, reader)).toBe(200);
    expect(await status(`${first.url}/api/v1/tokens`, reader)).toBe(403);
    first.process.kill("SIGTERM");
    const { exitCode, stdout } = await first.process.result;
    expect(exitCode).toBe(0);
    for (const secret of [token, reader]) expect(stdout).not.toContain(secret);
  }
  await using second = await serve(out);
  expect(second.process.stderr).not.toContain("plm_");
  expect(await status(`${second.url}/api/v1/tokens`, token)).toBe(200);
  const backup = join(folder.path, "copy.db");
  const { exitCode } = await runPlimsoll(["backup", backup], { folder: folder.path });
  expect([exitCode, (await readFile(backup)).subarray(0, 13).toString()]).toEqual([
    0,
    "SQLite format",
  ]);
});

it("says what is wrong where it cannot listen, and keeps the first token for a start that can", async () => {
  await using receiver = await startReceiverServer();
  await using taken = await startTarget();
  const out = ["--out", `prometheus-rw=${receiver.url}`];
  const { exitCode, stderr } = await runPlimsoll(["serve", "--listen", taken.address, ...out], {
    folder: folder.path,
  });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("cannot listen")]);
  await using served = await serve(out);
  tokenIn(served.process.stderr);
});

describe("a hostile client", () => {
  it("is cut off with headers and with a body that never end, and others are answered meanwhile", async () => {
    await using host = await startServerHost({
      limits: { headersTimeoutMs: 200, requestTimeoutMs: 400 },
    });
    const url = new URL(await host.app.listen({ host: "127.0.0.1", port: 0 }));
    const trickle = async (head: string): Promise<string> => {
      const socket = connect(Number(url.port), url.hostname);
      let answer = "";
      socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
      socket.on("error", () => undefined);
      socket.write(head);
      while (!socket.closed) {
        if (socket.writable) socket.write("X");
        await delay(20);
      }
      return answer;
    };
    const authorization = `Authorization: Bearer ${host.tokens.push}`;
    const slow = Promise.all([
      trickle("GET /-/healthy HTTP/1.1\r\nHost: a\r\n"),
      trickle(
        `POST /api/v1/runs HTTP/1.1\r\nHost: a\r\n${authorization}\r\n` +
          "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
      ),
    ]);
    expect((await fetch(new URL("/-/healthy", url))).status).toBe(200);
    // No 408: k6 would drop what it pushes.
    expect(await slow).toEqual(["", ""]);
    expect((await fetch(new URL("/-/healthy", url))).status).toBe(200);
  });

  it("is refused what is no HTTP, and what is too large, without an effect on others", async () => {
    await using host = await startServerHost();
    const url = new URL(await host.app.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect(Number(url.port), url.hostname);
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.write("\x16\x03\x01 nonsense\r\n\r\n");
    while (!socket.closed) await delay(20);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    const large = await fetch(new URL("/ingest/1/metrics", url), {
      method: "POST",
      headers: {
        Authorization: `Bearer ${host.tokens.push}`,
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
      },
      body: Buffer.alloc(17 * 2 ** 20),
    });
    expect(large.status).toBe(413);
    expect((await fetch(new URL("/-/ready", url))).status).toBe(200);
  });
});

describeWithOpenssl("TLS", () => {
  it("is spoken where there is a certificate", async () => {
    await using receiver = await startReceiverServer();
    const files = join(folder.path, "tls");
    await mkdir(files);
    const authority = createAuthority(files, "authority");
    authority.issue("server");
    await using served = await serve([
      ...words(`--tls-cert ${files}/server.pem --tls-key ${files}/server.key`),
      ...words(`--out prometheus-rw=${receiver.url}`),
    ]);
    expect(served.url).toMatch(/^https:/);
    expect(await subjectOf(served.url, authority.cert)).toBe("server");
  });

  it("has the new certificate when its files have changed, and the old one while they are half written", async () => {
    const authority = createAuthority(folder.path, "authority");
    const files = { cert: join(folder.path, "live.pem"), key: join(folder.path, "live.key") };
    const install = async ({ cert, key }: { cert: string; key: string }) => {
      await writeFile(files.cert, cert);
      await writeFile(files.key, key);
    };
    const [old, next] = [authority.issue("old"), authority.issue("next")];
    await install(old);
    const current = await readCertificate(files);
    const server = createHttpServer((_, response) => response.end(), current, defaultHttpLimits);
    const port = await portOf(server);
    const clock = new FakeClock();
    const stop = new AbortController();
    const notices: string[] = [];
    const renewing = renewCertificate(server, files, {
      current,
      clock,
      signal: stop.signal,
      onNotice: (text) => notices.push(text),
    });
    const subject = () => subjectOf(`https://127.0.0.1:${port}`, authority.cert);
    const look = async () => {
      await clock.waitForSleep(10_000);
      clock.advance(10_000);
      await clock.waitForSleep(10_000);
    };

    await install({ ...old, cert: next.cert });
    await look();
    await look();
    expect(await subject()).toBe("old");
    await install(next);
    await look();
    expect(await subject()).toBe("next");

    expect(notices).toEqual([
      expect.stringContaining("cannot be used"),
      expect.stringContaining("new certificate"),
    ]);
    stop.abort();
    await renewing;
    server.close();
  });
});

async function subjectOf(url: string, ca: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false, path: "/-/healthy" }, (response) => {
      const { socket } = response;
      const name = "getPeerCertificate" in socket ? peerName(socket) : "";
      response.resume().on("end", () => resolve(name));
    });
    asked.on("error", reject).end();
  });
}

function peerName(socket: object): string {
  // Of a connection that is TLS.
  const { subject } = (
    socket as { getPeerCertificate(): { subject: { CN: string } } }
  ).getPeerCertificate();
  return subject.CN;
}

const script = `
import http from "k6/http";
export const options = { vus: 2, duration: "3s", thresholds: { http_req_failed: ["rate<0.01"] } };
export default function () { http.get(__ENV.TARGET, { tags: { name: "home" } }); }
export function handleSummary(data) {
  return { "summary.json": JSON.stringify({ requests: data.metrics.http_reqs.values.count }) };
}
`;

describeWithTool("prometheus-3", "a run of unmodified k6", (prometheus) => {
  describe.each([
    { tool: "k6-1" as const, command: "run --out cloud" },
    { tool: "k6-2" as const, command: "run --out cloud" },
    { tool: "k6-2" as const, command: "cloud run --local-execution" },
  ])("$tool: k6 $command", ({ tool, command }) => {
    describeWithTool(tool, "with what plimsoll env prints", (k6) => {
      it("is in Prometheus to the last request, and kept with its verdict", async () => {
        await using store = await startPrometheus({ program: prometheus });
        await using served = await serve(["--out", `prometheus-rw=${store.writeUrl}`]);
        const token = tokenIn(served.process.stderr);
        await using target = await startTarget();
        await writeFile(join(folder.path, "script.js"), script);

        const [node, main] = plimsollCommand([]);
        const env = `"${node}" "${main}" env --server ${served.url} --token ${token}`;
        const { stdout } = await run(
          "sh",
          // k6 v1 listens at a fixed port unless told otherwise, and is not alone here.
          [
            "-c",
            `eval "$(${env})"; exec "${k6}" ${command} --address 127.0.0.1:0 -e TARGET=${target.url} script.js`,
          ],
          {
            cwd: folder.path,
            env: { PATH: process.env["PATH"], HOME: folder.path },
          },
        );

        expect(stdout).toContain(`${served.url}/runs/1`);
        const summary = await readFile(join(folder.path, "summary.json"), "utf8");
        const { requests } = JSON.parse(summary) as { requests: number };
        expect(requests).toBeGreaterThan(10);
        const client = { folder: folder.path, env: { PLIMSOLL_TOKEN: token } };
        const shown = await runPlimsoll(
          ["runs", "show", "1", "--json", "--server", served.url],
          client,
        );
        const record = JSON.parse(shown.stdout) as { testid: string };
        expect(record).toMatchObject({
          state: "finished",
          result: "passed",
          thresholds: [{ metric: "http_req_failed", ok: true, value: 0 }],
          summary: expect.arrayContaining([
            { metric: "http_reqs", stat: "count", value: requests },
          ]) as unknown,
          stores: [store.writeUrl],
        });
        expect(await stored(store, record.testid, requests)).toBe(requests);
        const listed = await runPlimsoll(["runs", "list"], { folder: folder.path });
        expect(listed.stdout).toMatch(/^1 +script +finished +passed/m);
      });
    });
  });
});

/** The requests that the store has of a run, as soon as it has all of them. */
async function stored(store: MetricsStore, testid: string, expected: number): Promise<number> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const query = `sum(last_over_time(k6_http_reqs_total{testid="${testid}",test="script"}[5m]))`;
    const [result] = await store.query(query);
    if (result?.value === expected || Date.now() > deadlineMs) return result?.value ?? 0;
    await delay(100);
  }
}

describeWithPostgres("two servers on one Postgres", (postgres) => {
  it("share tokens and runs, and each hands on what is asked about the other's", async () => {
    await using receiver = await startReceiverServer();
    const shared = `--database-url ${postgres().url} --out prometheus-rw=${receiver.url}`;
    await using first = await serve(words(`${shared} --data-dir ${folder.path}/1`));
    await using second = await serve(words(`${shared} --data-dir ${folder.path}/2`));
    expect(second.process.stderr).not.toContain("plm_");
    const client = (server: Served) => ({
      folder: folder.path,
      env: { PLIMSOLL_SERVER: server.url, PLIMSOLL_TOKEN: tokenIn(first.process.stderr) },
    });
    const created = await runPlimsoll(words("runs create checkout --json"), client(first));
    const { run: made } = JSON.parse(created.stdout) as { run: { id: number } };
    const ended = await runPlimsoll(words(`runs end ${made.id} --json`), client(second));
    expect(ended.exitCode, ended.stderr).toBe(0);
    const shown = await runPlimsoll(words(`runs show ${made.id} --json`), client(first));
    expect(JSON.parse(shown.stdout)).toMatchObject({ state: "finished" });
  });

  it("find each other by --peer-url, and a run of one that has moved; none takes the data of another database", async () => {
    await using receiver = await startReceiverServer();
    const out = `--out prometheus-rw=${receiver.url}`;
    const shared = `--database-url ${postgres().url} ${out}`;
    const asked: string[] = [];
    let target = "";
    await using proxy = await startTcpProxy(() => {
      asked.push(target);
      return target;
    });
    const serveFirst = () =>
      serve(words(`${shared} --data-dir ${folder.path}/1 --peer-url ${proxy.url}/`));
    const first = await serveFirst();
    await using second = await serve(words(`${shared} --data-dir ${folder.path}/2`));
    const made = await runPlimsoll(
      words(`token create --name ci --role admin --database-url ${postgres().url}`),
      { folder: folder.path },
    );
    const env = { PLIMSOLL_TOKEN: made.stdout.trim() };
    const created = await runPlimsoll(words(`runs create checkout --json --server ${first.url}`), {
      folder: folder.path,
      env,
    });
    const { run: begun } = JSON.parse(created.stdout) as { run: { id: number } };
    await first[Symbol.asyncDispose]();
    await using moved = await serveFirst();
    expect(moved.url).not.toBe(first.url);
    target = moved.url;
    const ended = await runPlimsoll(words(`runs end ${begun.id} --json --server ${second.url}`), {
      folder: folder.path,
      env,
    });
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(asked).toEqual([moved.url]);
    await moved[Symbol.asyncDispose]();
    const refused = await runPlimsoll(words(`serve --data-dir ${folder.path}/1 ${out}`), {
      folder: folder.path,
    });
    expect([refused.exitCode, refused.stderr]).toEqual([
      4,
      expect.stringContaining("is of another database"),
    ]);
  });
});

describe("plimsoll run", () => {
  it("keeps its run where the server keeps its own", async () => {
    await using receiver = await startReceiverServer();
    await using target = await startTarget();
    const line = `run ${target.url} --duration 1s --testid kept --tag release=7 --quiet --out prometheus-rw=${receiver.url}`;
    const ran = await runPlimsoll(words(line), { folder: folder.path });
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    const shown = await runPlimsoll(["runs", "show", "kept", "--json"], { folder: folder.path });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      id: 1,
      testid: "kept",
      source: "run",
      state: "finished",
      result: "passed",
      tags: { release: "7" },
      history: [{ state: "created" }, { state: "running" }, { state: "finished" }],
      summary: expect.arrayContaining([
        expect.objectContaining({ metric: "http_reqs", stat: "count" }),
      ]) as unknown,
      stores: [receiver.url],
      hasLateData: false,
    });
    // Gone on with: still one record.
    expect(await runPlimsoll(words(line), { folder: folder.path })).toMatchObject({ stderr: "" });
    const listed = await runPlimsoll(["runs", "list", "--json"], { folder: folder.path });
    expect(JSON.parse(listed.stdout)).toMatchObject({ total: 1, runs: [{ hasLateData: true }] });
  });

  it("goes on, and says so, where the runs cannot be kept", async () => {
    await using receiver = await startReceiverServer();
    await using target = await startTarget();
    const ran = await runPlimsoll(
      words(`run ${target.url} --duration 1s --out prometheus-rw=${receiver.url}`),
      {
        folder: folder.path,
        env: { PLIMSOLL_DATABASE_URL: "postgres://ann:secret@127.0.0.1:1/plimsoll" },
      },
    );
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/the run is not in "plimsoll runs": .*Postgres/);
    expect(ran.stderr).not.toContain("secret");
  });
});
