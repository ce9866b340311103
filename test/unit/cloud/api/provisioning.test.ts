import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { proofOf } from "../../../../src/runs/run-proof.ts";
import type { RunRecord } from "../../../../src/runs/run-record.ts";
import { runFileName } from "../../../../src/server/run-files.ts";
import { type CloudApiHost, startCloudApi } from "../../../support/cloud-api-host.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { k6Entries, packEntries, unpackEntries } from "../../../support/k6-archive.ts";
import { startedLocalExecution } from "../../../support/v6-schema.ts";

let host: CloudApiHost;
beforeAll(async () => {
  host = await startCloudApi();
});
afterAll(() => host[Symbol.asyncDispose]());

const runOf = async (id: number): Promise<RunRecord> =>
  (await host.repository.run(id)) ?? expect.unreachable(`there is no run ${id}`);

interface Started {
  readonly test_run_id: number;
  readonly archive_upload_url: string | null;
  readonly test_run_details_page_url: string;
  readonly runtime_config: {
    readonly test_run_token: string;
    readonly metrics: { readonly push_url: string };
    readonly logs: { readonly push_url: string };
  };
}

const options = {
  scenarios: {
    default: { executor: "constant-vus", env: { KEY: "value" }, vus: 10, duration: "30s" },
  },
  thresholds: {
    http_req_duration: [
      "p(95)<500",
      { threshold: "avg<200", abortOnFail: true, delayAbortEval: "10s" },
    ],
  },
  cloud: { projectID: 7, name: "checkout", note: "nightly", token: "0123456789" },
  tags: { team: "a" },
};
const newRun = { options, max_vus: 10, total_duration: 60, archive_size: 20_480 };

async function ask(
  method: "GET" | "POST" | "PUT",
  url: string,
  token: string,
  payload: object | string = "",
  headers: object = {},
) {
  return await host.app.inject({
    method,
    url: url.replace("https://k6.test", ""),
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      "user-agent": "k6cloud/2.2.0",
      ...(payload !== "" && !Buffer.isBuffer(payload) && { "content-type": "application/json" }),
      ...headers,
    },
    payload,
  });
}

async function start(payload: object = newRun, prefix = "", headers: object = {}) {
  const test = await host.repository.ensureTest(7, "checkout", Date.now());
  const url = `${prefix}/provisioning/v1/load_tests/${test.id}/start_local_execution`;
  return await ask("POST", url, host.tokens.push, payload, headers);
}
beforeAll(async () => void (await host.repository.ensureProject(7, Date.now())));

const startRun = async (payload?: object): Promise<Started> => (await start(payload)).json();

const push = (count: number): Buffer => {
  const values = [{ seconds: Math.floor(Date.now() / 1_000), values: [count] }];
  return encodeMetricSet([{ name: "http_reqs", type: "counter", series: [{ tags: {}, values }] }]);
};
const protobuf = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };

describe("start_local_execution", () => {
  it("answers with every key that k6 requires, each of its type", async () => {
    const answer = await start();
    expect(answer.statusCode).toBe(200);
    const started = answer.json();
    expect(startedLocalExecution.parse(started)).toEqual(started);
    const { test_run_id: id, runtime_config: config } = started;
    expect(config.test_run_token).toMatch(/^plr_/);
    const upload = proofOf("upload", (await host.repository.tokenHash(id)) ?? "", id);
    expect(started).toMatchObject({
      archive_upload_url: `https://k6.test/upload/${id}?token=${upload}`,
      test_run_details_page_url: `https://k6.test/runs/${id}`,
      runtime_config: {
        metrics: { push_url: `https://k6.test/ingest/${id}/metrics` },
        logs: { push_url: `https://k6.test/ingest/${id}/logs` },
      },
    });
  });

  it("keeps what k6 said, and none of its secrets", async () => {
    const { test_run_id: id } = await startRun();
    const run = await host.repository.run(id);
    expect(run).toMatchObject({
      test: "checkout",
      projectId: 7,
      source: "cloud-v6",
      state: "initializing",
      generator: "k6/2.2.0",
      startedBy: "push token",
      maxVus: 10,
      expectedSeconds: 60,
      note: "nightly",
      tags: { team: "a" },
      thresholds: [
        { metric: "http_req_duration", expression: "p(95)<500", abortOnFail: false },
        {
          metric: "http_req_duration",
          expression: "avg<200",
          abortOnFail: true,
          delayAbortEvalMs: 10_000,
        },
      ],
      options: {
        scenarios: { default: { env: { KEY: "***" } } },
        cloud: { token: "***", name: "checkout" },
      },
    });
  });

  it("names no URL for an archive that there is none of, or that is too large", async () => {
    for (const archive_size of [null, 0, (100 << 20) + 1]) {
      expect((await startRun({ ...newRun, archive_size })).archive_upload_url).toBeNull();
    }
  });

  it("keeps the name of a generator in the URLs that it pushes to", async () => {
    const started: Started = (await start(newRun, "/agents/eu%2F1")).json();
    expect(started.runtime_config.metrics.push_url).toBe(
      `https://k6.test/agents/eu%2F1/ingest/${started.test_run_id}/metrics`,
    );
    const { push_url: url } = started.runtime_config.metrics;
    const answer = await ask("POST", url, started.runtime_config.test_run_token, push(1), protobuf);
    expect(answer.statusCode).toBe(204);
  });

  it("makes no second run of a request that k6 repeats, and its token works", async () => {
    const headers = { "k6-idempotency-key": "0123456789abcdef" };
    const first: Started = (await start(newRun, "", headers)).json();
    const second: Started = (await start(newRun, "", headers)).json();
    expect(second.test_run_id).toBe(first.test_run_id);
    const { metrics, test_run_token: token } = second.runtime_config;
    expect((await ask("POST", metrics.push_url, token, push(1), protobuf)).statusCode).toBe(204);
  });

  it("says which field is wrong, in words that k6 prints as they are", async () => {
    const answer = await start({ ...newRun, max_vus: "ten" });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toContain("text/plain");
    expect(answer.body).toMatch(/^the request cannot be understood\nmax_vus: /);
  });

  it("says which threshold is wrong", async () => {
    const answer = await start({ ...newRun, options: { thresholds: { http_reqs: ["p(95"] } } });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain("http_reqs");
  });

  it("knows only tests that there are", async () => {
    const url = "/provisioning/v1/load_tests/999999/start_local_execution";
    const answer = await ask("POST", url, host.tokens.push, newRun);
    expect(answer.statusCode).toBe(404);
    expect(answer.body).toBe("there is no load test 999999");
  });
});

describe("a run of k6 v2.2", () => {
  it("is pushed to, and ends as k6 notifies", async () => {
    const { test_run_id: id, runtime_config: config } = await startRun({
      ...newRun,
      options: { thresholds: { http_reqs: ["count>100"] } },
    });
    const { metrics, test_run_token: token } = config;
    // Byte for byte the same is the same push: k6 has tried again.
    const body = push(40);
    for (let tries = 0; tries < 2; tries++) {
      expect((await ask("POST", metrics.push_url, token, body, protobuf)).statusCode).toBe(204);
    }
    expect((await ask("POST", metrics.push_url, token, push(41), protobuf)).statusCode).toBe(204);
    expect((await host.repository.run(id))?.state).toBe("running");
    const notify = await ask("POST", `/provisioning/v1/test_runs/${id}/notify`, token, {
      event_type: "script_execution_completed",
      error: null,
    });
    expect(notify.statusCode).toBe(204);
    expect(await host.repository.run(id)).toMatchObject({
      state: "finished",
      result: "failed",
      thresholds: [{ value: 81, ok: false }],
    });
  });

  it.each([
    [8036, "interrupted by a signal", "aborted_by_user"],
    [8036, "thresholds crossed, abortOnFail", "aborted_by_threshold"],
    [8035, "Error: boom", "aborted_by_script_error"],
    [0, "marked as failed", "aborted_by_system"],
  ])("ends with %i, %s: %s", async (code, reason, state) => {
    const { test_run_id: id, runtime_config: config } = await startRun();
    await ask("POST", `/provisioning/v1/test_runs/${id}/notify`, config.test_run_token, {
      event_type: "script_execution_completed",
      error: { code, reason },
    });
    const run = await host.repository.run(id);
    expect(run?.state).toBe(state);
    expect(run?.history.at(-1)?.reason).toBe(reason);
  });

  it("has no secrets here, and is told so", async () => {
    const { test_run_id: id, runtime_config: config } = await startRun();
    const url = `/provisioning/v1/test_runs/${id}/decrypt_secret?name=db`;
    const answer = await ask("GET", url, config.test_run_token);
    expect(answer.statusCode).toBe(404);
    expect(answer.body).toContain("--secret-source=file=PATH");
  });
});

describe("logs", () => {
  it("are kept with the run, to the nanosecond", async () => {
    const { test_run_id: id, runtime_config: config } = await startRun();
    const answer = await ask("POST", config.logs.push_url, config.test_run_token, {
      streams: [
        {
          stream: { level: "warning", test_run_id: String(id), scenario: "default" },
          values: [
            ["1767225601000000001", "first"],
            ["1767225601000000002", "second", { trace: "x" }],
          ],
        },
        {
          stream: { test_run_id: String(id) },
          values: [["1767225601000000003", "without a level"]],
        },
      ],
    });
    expect(answer.statusCode).toBe(204);
    const run = await runOf(id);
    expect(run.logLines).toBe(3);
    const kept = await readFile(join(host.folder, "logs", `${runFileName(run)}.jsonl`), "utf8");
    for (const timeNs of ["1767225601000000001", "1767225601000000002", "1767225601000000003"]) {
      expect(kept).toContain(timeNs);
    }
    expect(kept).toContain('"scenario":"default"');
  });

  it.each([
    ["no JSON", "nothing", 400],
    ["another shape", { streams: [{ values: [] }] }, 400],
    ["a time that is no number", { streams: [{ stream: {}, values: [["now", "x"]] }] }, 400],
    ["a label that is no text", { streams: [{ stream: { a: 1 }, values: [] }] }, 400],
    ["more than 16 MiB", { streams: [{ stream: {}, values: [["1", "x".repeat(16 << 20)]] }] }, 413],
  ])("are refused: %s", async (_, payload, status) => {
    const { runtime_config: config } = await startRun();
    const answer = await ask("POST", config.logs.push_url, config.test_run_token, payload);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toContain("text/plain");
  });
});

describe("the archive", () => {
  const tar = { "content-type": "application/x-tar" };

  it("is kept by the secret of its URL, without its own", async () => {
    const { test_run_id: id, archive_upload_url: url } = await startRun();
    const archive = await packEntries(
      k6Entries({ options, env: { PASSWORD: "hidden" } }, "0123456789"),
    );
    expect((await ask("PUT", url ?? "", "", archive, tar)).statusCode).toBe(204);
    const run = await runOf(id);
    const kept = await readFile(join(host.folder, "archives", `${runFileName(run)}.tar`));
    expect(run.archiveBytes).toBe(kept.length);
    const [metadata, data] = await unpackEntries(kept);
    expect(JSON.parse(metadata?.content ?? "")).toMatchObject({ env: { PASSWORD: "***" } });
    expect(data?.content).toBe("*".repeat(10));
    expect(kept.includes("hidden") || kept.includes("0123456789")).toBe(false);
  });

  it.each([
    ["without a token", "?", 401],
    ["with one that nobody issued", `?token=plr_${"x".repeat(43)}`, 401],
    ["with two", "?token=a&token=b", 401],
  ])("is not taken %s", async (_, query, status) => {
    const { test_run_id: id } = await startRun();
    const answer = await ask("PUT", `/upload/${id}${query}`, "", Buffer.from("x"), tar);
    expect(answer.statusCode).toBe(status);
  });

  it("is not taken with what is good for another run, or for something else", async () => {
    const [{ test_run_id: id, runtime_config: config }, other] = [
      await startRun(),
      await startRun(),
    ];
    const [, proofOfOther = ""] = other.archive_upload_url?.split("token=") ?? [];
    const peer = proofOf("peer", (await host.repository.tokenHash(id)) ?? "", id);
    // Of a run without a token: anybody could make this one.
    const empty = proofOf("upload", "", id);
    const tokens = [proofOfOther, peer, empty, config.test_run_token, host.tokens.admin];
    for (const token of tokens) {
      const answer = await ask("PUT", `/upload/${id}?token=${token}`, token, Buffer.from("x"), tar);
      expect(answer.statusCode).toBe(401);
    }
  });

  it("has a URL that is good for nothing else", async () => {
    const { test_run_id: id, archive_upload_url: url, runtime_config: config } = await startRun();
    const [, proof = ""] = url?.split("token=") ?? [];
    const answers = [
      await ask("POST", config.metrics.push_url, proof, push(1), protobuf),
      await ask("POST", config.logs.push_url, proof, { streams: [] }),
      await ask("GET", `/cloud/v6/test_runs/${id}`, proof),
      await ask("POST", `/provisioning/v1/test_runs/${id}/notify`, proof, {}),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401]);
  });

  it("stays as it is from the first sample on, whoever has its URL by then", async () => {
    const { test_run_id: id, archive_upload_url: url, runtime_config: config } = await startRun();
    const archive = await packEntries(k6Entries({ options: {} }));
    expect((await ask("PUT", url ?? "", "", archive, tar)).statusCode).toBe(204);
    const before = (await host.repository.run(id))?.archiveBytes;
    await ask("POST", config.metrics.push_url, config.test_run_token, push(1), protobuf);
    const other = await packEntries(k6Entries({ options: {} }, "x".repeat(10_000)));
    expect((await ask("PUT", url ?? "", "", other, tar)).statusCode).toBe(409);
    expect((await host.repository.run(id))?.archiveBytes).toBe(before);
  });

  it.each([
    ["is no tar", Buffer.from("x".repeat(1_024)), tar, 400],
    ["is of another type", Buffer.from("{}"), { "content-type": "application/json" }, 415],
  ])("is refused if it %s", async (_, body, headers, status) => {
    const { archive_upload_url: url, test_run_id: id } = await startRun();
    expect((await ask("PUT", url ?? "", "", body, headers)).statusCode).toBe(status);
    expect((await host.repository.run(id))?.archiveBytes).toBe(0);
  });

  it("is refused above 100 MiB", async () => {
    const { archive_upload_url: url } = await startRun();
    const entries = k6Entries({ options: {} });
    const archive = await packEntries([
      ...entries,
      { header: { name: "file/large" }, content: Buffer.alloc(100 << 20) },
    ]);
    const answer = await ask("PUT", url ?? "", "", archive, tar);
    expect(answer.statusCode).toBe(413);
    expect(answer.body).toBe("the archive has more than 100 MiB");
  });
});

describe("the token of a run", () => {
  it.each([
    ["POST", "/ingest/ID/metrics"],
    ["POST", "/ingest/ID/logs"],
    ["POST", "/v2/metrics/ID"],
    ["POST", "/v1/tests/ID"],
    ["POST", "/provisioning/v1/test_runs/ID/notify"],
    ["GET", "/provisioning/v1/test_runs/ID/decrypt_secret?name=a"],
    ["GET", "/cloud/v6/test_runs/ID"],
  ] as const)("is worth nothing for another run: %s %s", async (method, url) => {
    const [{ test_run_id: id }, other] = [await startRun(), await startRun()];
    const { test_run_token: token } = other.runtime_config;
    for (const prefix of ["", "/agents/a"]) {
      const answer = await ask(method, prefix + url.replace("ID", String(id)), token);
      expect(answer.statusCode).toBe(403);
    }
  });

  it.each(["/v1/tests", "/provisioning/v1/load_tests/1/start_local_execution"])(
    "starts no run: %s",
    async (url) => {
      const { runtime_config: config } = await startRun();
      expect((await ask("POST", url, config.test_run_token, newRun)).statusCode).toBe(403);
    },
  );
});

it("a request whose token is wrong is answered before its body has come", async () => {
  await using listening = await startCloudApi({ listens: true });
  const { hostname, port } = new URL(listening.url);
  const request = connect(Number(port), hostname);
  request.write(
    "POST /ingest/1/metrics HTTP/1.1\r\nHost: k6.test\r\nAuthorization: Bearer plm_wrong\r\n" +
      "Content-Type: application/x-protobuf\r\nContent-Length: 1000000\r\n\r\nbegin",
  );
  const [answer] = (await once(request, "data")) as [Buffer];
  request.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
});
