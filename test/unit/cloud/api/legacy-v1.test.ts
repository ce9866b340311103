import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CloudApiHost, startCloudApi } from "../../../support/cloud-api-host.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { k6Entries, packEntries } from "../../../support/k6-archive.ts";
import { legacyError } from "../../../support/v6-schema.ts";

let host: CloudApiHost;
beforeAll(async () => {
  host = await startCloudApi();
});
afterAll(() => host[Symbol.asyncDispose]());

const newRun = { name: "checkout.js", project_id: 7, vus: 10, duration: 60 };

async function post(url: string, payload: object | undefined, headers: object = {}) {
  return await host.app.inject({
    method: "POST",
    url,
    headers: {
      authorization: `Token ${host.tokens.push}`,
      "user-agent": "k6cloud/1.8.1",
      "content-type": "application/json",
      ...headers,
    },
    payload: payload ?? "",
  });
}

/** A form as k6 sends it: the archive last. */
function form(fields: Record<string, string>, file?: Buffer) {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="archive.tar"\r\n' +
    "Content-Type: application/octet-stream\r\n\r\n";
  const payload = Buffer.concat([
    Buffer.from(parts.join("")),
    ...(file ? [Buffer.from(head), file, Buffer.from("\r\n")] : []),
    Buffer.from("--b--\r\n"),
  ]);
  return { payload, headers: { "content-type": "multipart/form-data; boundary=b" } };
}

async function createRun(name = "checkout.js"): Promise<number> {
  const answer = await post("/v1/tests", { ...newRun, name });
  return Number(answer.json().reference_id);
}

describe("POST /v1/tests", () => {
  it("starts a run, and says how to push", async () => {
    const answer = await post("/v1/tests", {
      ...newRun,
      thresholds: { http_req_duration: ["p(95)<500"] },
    });
    expect(answer.statusCode).toBe(200);
    const { reference_id: id, config } = answer.json();
    // Anything else than a string of digits, k6 refuses.
    expect(id).toMatch(/^[1-9]\d*$/);
    expect(config).toEqual({
      metricPushInterval: "1000ms",
      aggregationPeriod: "1s",
      aggregationWaitPeriod: "1s",
      tracesEnabled: false,
      stopOnError: true,
      testRunDetails: `https://k6.test/runs/${id}`,
    });
    expect(await host.repository.run(Number(id))).toMatchObject({
      // As "plimsoll run checkout.js" names it.
      test: "checkout",
      projectId: 7,
      source: "cloud-v1",
      state: "initializing",
      generator: "k6/1.8.1",
      startedBy: "push token",
      maxVus: 10,
      expectedSeconds: 60,
      thresholds: [{ metric: "http_req_duration", expression: "p(95)<500", abortOnFail: false }],
    });
  });

  it("has runs without a project in the default one", async () => {
    const answer = await post("/v1/tests", { name: "a", vus: 1, duration: 1 });
    const run = await host.repository.run(Number(answer.json().reference_id));
    expect(run?.projectId).toBe(1);
  });

  it("makes no second run of a request that k6 repeats", async () => {
    const headers = { "k6-idempotency-key": "0123456789abcdef" };
    const first = await post("/v1/tests", newRun, headers);
    const second = await post("/v1/tests", newRun, headers);
    expect(second.json().reference_id).toBe(first.json().reference_id);
  });

  it("takes thresholds, tags and a note from the archive", async () => {
    const tar = await packEntries(
      k6Entries({
        options: {
          thresholds: {
            iterations: [{ threshold: "count>1", abortOnFail: true, delayAbortEval: "2s" }],
          },
          tags: { team: "a" },
          cloud: { note: "nightly", token: host.tokens.push },
        },
        env: { PASSWORD: "x" },
      }),
    );
    const fields = { name: "checkout", project_id: "0", vus: "10", duration: "60" };
    const { payload, headers } = form(fields, tar);
    const answer = await post("/v1/tests", payload, headers);
    expect(answer.statusCode).toBe(200);
    const run = await host.repository.run(Number(answer.json().reference_id));
    expect(run).toMatchObject({
      projectId: 1,
      thresholds: [
        { metric: "iterations", expression: "count>1", abortOnFail: true, delayAbortEvalMs: 2_000 },
      ],
      tags: { team: "a" },
      note: "nightly",
    });
    expect(JSON.stringify(run)).not.toContain(host.tokens.push);
  });

  it.each([
    ["nothing", undefined],
    ["no name", { vus: 1, duration: 1 }],
    ["an empty name", { ...newRun, name: "" }],
    ["VUs in words", { ...newRun, vus: "many" }],
    ["a project beyond int32", { ...newRun, project_id: 2 ** 31 }],
    ["a threshold that cannot be understood", { ...newRun, thresholds: { a: ["p(95)"] } }],
  ])("refuses %s", async (_, payload) => {
    const answer = await post("/v1/tests", payload);
    expect(answer.statusCode).toBe(400);
    legacyError.parse(answer.json());
  });

  it("names the fields that are wrong", async () => {
    const answer = await post("/v1/tests", { ...newRun, vus: -1, name: "" });
    expect(Object.keys(answer.json().error.field_errors)).toEqual(["name", "vus"]);
  });

  const fields = { name: "checkout", project_id: "0", vus: "10", duration: "60" };

  it.each([
    ["without a file", form(fields)],
    ["whose file is no archive", form(fields, Buffer.from("x".repeat(2_000)))],
    ["that breaks off", { ...form(fields), payload: form(fields).payload.subarray(0, -5) }],
    ["without a boundary", { ...form(fields), headers: { "content-type": "multipart/form-data" } }],
    ["whose fields are wrong", form({ ...fields, vus: "many" }, Buffer.alloc(1_024))],
  ])("refuses a form %s", async (_, { payload, headers }) => {
    const answer = await post("/v1/tests", payload, headers);
    expect(answer.statusCode).toBe(400);
    legacyError.parse(answer.json());
  });

  it("ends a run whose archive turns out to be none: k6 ends, too, and says so to nobody", async () => {
    const tar = await packEntries([
      ...k6Entries({ options: {} }),
      { header: { name: "../../etc/passwd" }, content: "x" },
    ]);
    const { payload, headers } = form({ ...fields, name: "hostile" }, tar);
    const answer = await post("/v1/tests", payload, headers);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.message).toContain("../../etc/passwd");
    const { runs } = await host.repository.list({ test: "hostile" }, {});
    expect(runs).toMatchObject([{ state: "aborted_by_system", archiveBytes: 0 }]);
  });

  it("refuses an archive of more than 100 MiB", async () => {
    const tar = await packEntries([
      ...k6Entries({ options: {} }),
      { header: { name: "file/large" }, content: Buffer.alloc(100 << 20) },
    ]);
    const { payload, headers } = form(fields, tar);
    const answer = await post("/v1/tests", payload, headers);
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toEqual({ error: { message: "the archive has more than 100 MiB" } });
  });
});

describe("POST /v1/tests/ID", () => {
  it.each([
    [3, "finished"],
    [4, "timed_out"],
    [5, "aborted_by_user"],
    [6, "aborted_by_system"],
    [7, "aborted_by_script_error"],
    [8, "aborted_by_threshold"],
    [9, "aborted_by_limit"],
  ])("ends a run with %i: %s", async (runStatus, state) => {
    const id = await createRun();
    const answer = await post(`/v1/tests/${id}`, {
      run_status: runStatus,
      result_status: 0,
      thresholds: {},
    });
    expect(answer.statusCode).toBe(200);
    expect((await host.repository.run(id))?.state).toBe(state);
  });

  it("keeps k6's verdicts: true is failed", async () => {
    const thresholds = { iterations: ["count>1", "rate>1"] };
    const created = await post("/v1/tests", { ...newRun, thresholds });
    const id = Number(created.json().reference_id);
    await post(`/v1/tests/${id}`, {
      run_status: 3,
      result_status: 1,
      thresholds: { iterations: { "count>1": true, "rate>1": false } },
    });
    const run = await host.repository.run(id);
    expect(run?.thresholds.map(({ generatorOk }) => generatorOk)).toEqual([false, true]);
    expect(run?.result).toBe("failed");
  });

  it.each([-2, 0, 2, 10, 11])("refuses %i, which is no end", async (runStatus) => {
    const id = await createRun();
    const answer = await post(`/v1/tests/${id}`, { run_status: runStatus, result_status: 0 });
    expect(answer.statusCode).toBe(400);
    expect((await host.repository.run(id))?.state).toBe("initializing");
  });

  it("knows only runs that there are", async () => {
    const answer = await post("/v1/tests/999999", { run_status: 3, result_status: 0 });
    expect(answer.statusCode).toBe(404);
    legacyError.parse(answer.json());
  });
});

describe("logging in", () => {
  it("a token is valid, or it is not", async () => {
    const valid = await post("/v1/validate-token", { token: host.tokens.push });
    expect(valid.json()).toMatchObject({ is_valid: true });
    const invalid = await post("/v1/validate-token", { token: "x" }, { authorization: "Token x" });
    expect(invalid.statusCode).toBe(401);
    legacyError.parse(invalid.json());
  });

  it("takes no password, and says what it takes", async () => {
    const answer = await post("/v1/login", { email: "a@b.test", password: "p" });
    expect(answer.statusCode).toBe(400);
    expect(legacyError.parse(answer.json())).toMatchObject({
      error: { message: expect.stringContaining("k6 cloud login --token") },
    });
  });
});

it.each([
  ["POST", "/v1/validate-options"],
  ["POST", "/v1/archive-upload"],
  ["GET", "/v1/test-progress/1"],
] as const)("%s %s: says what to type instead of running a test here", async (method, url) => {
  const headers = { authorization: `Token ${host.tokens.push}` };
  const answer = await host.app.inject({ method, url, headers });
  expect(answer.statusCode).toBe(405);
  expect(legacyError.parse(answer.json())).toMatchObject({
    error: { message: expect.stringContaining("k6 cloud run --local-execution") },
  });
});

describe("POST /v2/metrics/ID", () => {
  const push = async (
    url: string,
    {
      body = requests(1),
      key = "",
      headers = {},
    }: { body?: Buffer; key?: string; headers?: object } = {},
  ) =>
    await host.app.inject({
      method: "POST",
      url,
      headers: {
        authorization: `Token ${host.tokens.push}`,
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        ...(key && { "k6-idempotency-key": key }),
        ...headers,
      },
      payload: body,
    });

  function requests(count: number): Buffer {
    const values = [{ seconds: Math.floor(Date.now() / 1_000), values: [count] }];
    return encodeMetricSet([
      { name: "http_reqs", type: "counter", series: [{ tags: {}, values }] },
    ]);
  }

  it("has the run running, and counts a push that is repeated once", async () => {
    const id = await createRun();
    for (let tries = 0; tries < 3; tries++) {
      expect((await push(`/v2/metrics/${id}`, { body: requests(5), key: "a" })).statusCode).toBe(
        204,
      );
    }
    await push(`/v2/metrics/${id}`, { body: requests(7), key: "b" });
    expect((await host.repository.run(id))?.state).toBe("running");
    await post(`/v1/tests/${id}`, { run_status: 3, result_status: 0 });
    const summary = (await host.repository.run(id))?.summary;
    expect(summary).toContainEqual({ metric: "http_reqs", stat: "count", value: 12 });
  });

  it("takes what a generator with a name pushes", async () => {
    const id = await createRun();
    expect((await push(`/agents/eu-1/v2/metrics/${id}`)).statusCode).toBe(204);
  });

  it("tells k6 to stop, in the one way that it understands", async () => {
    const id = await createRun();
    await push(`/v2/metrics/${id}`);
    expect(await host.service.stop(id, "jo")).toBe("stopping");
    const answer = await push(`/v2/metrics/${id}`, { body: requests(2) });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toEqual({ error: { code: 4, message: `test run ${id} was stopped` } });
    expect(answer.headers["content-type"]).toContain("application/json");
  });

  it.each<[string, Parameters<typeof push>[1], number]>([
    ["no snappy block", { body: Buffer.from("garbage") }, 400],
    ["nothing", { body: Buffer.alloc(0) }, 400],
    [
      "a block that says that it holds gigabytes",
      { body: Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]) },
      400,
    ],
    ["a block around garbage", { body: Buffer.from([3, 8, 0xff, 0xff, 0xff]) }, 400],
    ["another content type", { headers: { "content-type": "application/json" } }, 415],
    ["another encoding", { headers: { "content-encoding": "gzip" } }, 415],
    ["more than 16 MiB", { body: Buffer.alloc((16 << 20) + 1) }, 413],
  ])("refuses %s", async (_, given, status) => {
    const id = await createRun();
    const answer = await push(`/v2/metrics/${id}`, given);
    expect(answer.statusCode).toBe(status);
    // Else k6 would stop for good.
    expect(legacyError.parse(answer.json())).not.toHaveProperty("error.code");
    expect((await host.repository.run(id))?.state).toBe("initializing");
  });

  it.each(["999999", "0", "-1", "2147483648", "x", "1e3", "%27%20or%201=1"])(
    "knows no run %s",
    async (id) => {
      const answer = await push(`/v2/metrics/${id}`);
      expect(answer.statusCode).toBe(404);
      legacyError.parse(answer.json());
    },
  );
});
