import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSource } from "../../../../src/runs/run-record.ts";
import { type CloudApiHost, startCloudApi } from "../../../support/cloud-api-host.ts";
import {
  v6Auth,
  v6Error,
  v6LoadTest,
  v6LoadTestList,
  v6ProjectList,
  v6TestRun,
} from "../../../support/v6-schema.ts";

let host: CloudApiHost;
beforeAll(async () => {
  host = await startCloudApi();
});
afterAll(() => host[Symbol.asyncDispose]());

async function ask(
  method: "GET" | "POST" | "PUT",
  url: string,
  {
    token = host.tokens.admin,
    payload = "",
    headers = {},
  }: { token?: string; payload?: string | Buffer; headers?: object } = {},
) {
  return await host.app.inject({
    method,
    url: `/cloud/v6${url}`,
    headers: { ...(token && { authorization: `Bearer ${token}` }), "x-stack-id": "1", ...headers },
    payload,
  });
}

function form(fields: Record<string, string>) {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${name === "script" ? '; filename="script"' : ""}\r\n\r\n${value}\r\n`,
  );
  return {
    payload: `${parts.join("")}--b--\r\n`,
    headers: { "content-type": "multipart/form-data; boundary=b" },
  };
}

const addTest = async (project: number, name: string, token?: string) =>
  await ask("POST", `/projects/${project}/load_tests`, {
    ...form({ name }),
    ...(token && { token }),
  });

async function start(startedBy: string, source: RunSource = "cloud-v6") {
  return await host.service.start({
    projectId: 1,
    test: "checkout",
    source,
    generator: "k6/2.2.0",
    startedBy,
    options: {},
    thresholds: [],
    maxVus: 1,
    expectedSeconds: 1,
    tags: {},
    note: "",
    idempotencyKey: "",
  });
}

describe("GET /auth", () => {
  it("has a stack and a project, which k6 stores", async () => {
    const answer = await ask("GET", "/auth", { token: host.tokens.push });
    expect(answer.json()).toEqual({ stack_id: 1, default_project_id: 1 });
    v6Auth.parse(answer.json());
    expect(answer.headers["content-type"]).toContain("application/json");
  });

  it.each([
    ["no token", ""],
    ["a token that nobody issued", `plm_${"x".repeat(43)}`],
    ["something else", "hello"],
  ])("answers 401 to %s", async (_, token) => {
    const answer = await ask("GET", "/auth", { token });
    expect(answer.statusCode).toBe(401);
    expect(v6Error.parse(answer.json())).toMatchObject({ error: { code: "unauthorized" } });
  });

  it("takes a token that k6 names as its older API does", async () => {
    const answer = await ask("GET", "/auth", {
      headers: { authorization: `Token ${host.tokens.push}` },
    });
    expect(answer.statusCode).toBe(200);
  });
});

describe("tests", () => {
  it("are one for a name in a project, which is made where it is missing", async () => {
    const first = await addTest(77, "checkout");
    expect(first.statusCode).toBe(200);
    v6LoadTest.parse(first.json());
    expect((await addTest(77, "checkout")).json().id).toBe(first.json().id);
    expect((await addTest(78, "checkout")).json().id).not.toBe(first.json().id);
    const projects = await ask("GET", "/projects?%24skip=0&%24top=1000");
    v6ProjectList.parse(projects.json());
    const named = projects
      .json()
      .value.map(({ id, is_default }: { id: number; is_default: boolean }) => ({ id, is_default }));
    expect(named).toContainEqual({ id: 1, is_default: true });
    expect(named).toContainEqual({ id: 77, is_default: false });
  });

  it("are found by their whole name", async () => {
    const { id } = (await addTest(80, "a")).json();
    await addTest(80, "ab");
    const found = await ask("GET", "/projects/80/load_tests?%24top=1&name=a");
    expect(found.json().value).toMatchObject([{ id, name: "a", project_id: 80 }]);
    v6LoadTestList.parse(found.json());
    const none = await ask("GET", "/projects/80/load_tests?name=%25");
    expect(none.json().value).toEqual([]);
  });

  it("have the name that plimsoll run gives their script, by which k6 finds them, too", async () => {
    const { id } = (await addTest(82, "checkout.js")).json();
    expect((await addTest(82, "checkout")).json()).toMatchObject({ id, name: "checkout" });
    const found = await ask("GET", "/projects/82/load_tests?%24top=1&name=checkout.js");
    expect(found.json().value).toMatchObject([{ id, name: "checkout" }]);
  });

  it("come in pages, the last of which says so", async () => {
    for (const name of ["a", "b", "c"]) await addTest(81, name);
    const first = (await ask("GET", "/projects/81/load_tests?%24skip=0&%24top=2")).json();
    expect(first.value).toHaveLength(2);
    expect(first["@count"]).toBe(3);
    expect(first["@nextLink"]).not.toBe("");
    const last = (await ask("GET", "/projects/81/load_tests?%24skip=2&%24top=2")).json();
    expect(last.value).toMatchObject([{ name: "c" }]);
    expect(last).not.toHaveProperty("@nextLink");
    [first, last].forEach((page) => v6LoadTestList.parse(page));
  });

  it.each([
    ["without a name", form({})],
    ["with an empty name", form({ name: "" })],
    ["with a name of 301 characters", form({ name: "x".repeat(301) })],
  ])("are refused %s", async (_, given) => {
    const answer = await ask("POST", "/projects/1/load_tests", given);
    expect(answer.statusCode).toBe(400);
    expect(v6Error.parse(answer.json())).toMatchObject({
      error: { code: "validation_error", details: [{ target: "name" }] },
    });
  });
});

it("there are no load zones", async () => {
  expect((await ask("GET", "/load_zones")).json()).toEqual({ value: [] });
});

describe("a test run", () => {
  it("is initializing when it has been started: k6 waits for that word", async () => {
    const { run } = await start("push token");
    const answer = await ask("GET", `/test_runs/${run.id}`, { token: host.tokens.push });
    expect(answer.json()).toMatchObject({ id: run.id, status: "initializing", result: null });
    expect(v6TestRun.parse(answer.json())).toEqual(answer.json());
  });

  it("is seen by who started it, by its own token, and by who may read", async () => {
    const { run, token } = await start("push token");
    for (const allowed of [host.tokens.push, host.tokens.read, host.tokens.admin, token]) {
      expect((await ask("GET", `/test_runs/${run.id}`, { token: allowed })).statusCode).toBe(200);
    }
  });

  it("is not there for another user that may push, as one that does not exist is not", async () => {
    const { run } = await start("somebody else");
    for (const id of [run.id, 999_999]) {
      const answer = await ask("GET", `/test_runs/${id}`, { token: host.tokens.push });
      expect(answer.statusCode).toBe(404);
      expect(answer.json().error.message.replaceAll(String(id), "ID")).toBe(
        "there is no test run ID that this token may see",
      );
    }
  });

  it("is not seen with the token of another run", async () => {
    const [{ run }, { token }] = [await start("a"), await start("b")];
    const answer = await ask("GET", `/test_runs/${run.id}`, { token });
    expect(answer.statusCode).toBe(403);
    v6Error.parse(answer.json());
  });

  it.each(["cloud-v1", "api"] as const)("of %s can be stopped", async (source) => {
    const { run } = await start("push token", source);
    expect((await ask("POST", `/test_runs/${run.id}/abort`)).statusCode).toBe(204);
  });

  it("of k6 v2.2 cannot be stopped from here, and the answer says what to do", async () => {
    const { run } = await start("push token");
    const answer = await ask("POST", `/test_runs/${run.id}/abort`, {
      headers: { "content-type": "application/json" },
    });
    expect(answer.statusCode).toBe(409);
    expect(v6Error.parse(answer.json())).toMatchObject({
      error: { code: "conflict", message: expect.stringContaining("Ctrl-C") },
    });
    await host.service.end(run.id, { state: "finished" });
    expect((await ask("POST", `/test_runs/${run.id}/abort`)).json().error.message).toContain(
      "is over",
    );
  });
});

describe("who may only push", () => {
  it.each(["/projects", "/load_zones", "/projects/1/load_tests"])("cannot list %s", async (url) => {
    const answer = await ask("GET", url, { token: host.tokens.push });
    expect(answer.statusCode).toBe(403);
    expect(v6Error.parse(answer.json())).toMatchObject({
      error: { message: "this token has the role push; this needs read" },
    });
  });
});

it.each([
  ["GET", "/auth"],
  ["GET", "/projects"],
  ["POST", "/projects/1/load_tests"],
  ["POST", "/validate_options"],
  ["POST", "/test_runs/1/abort"],
] as const)("the token of a run is not for %s %s", async (method, url) => {
  const { token } = await start("push token");
  const answer = await ask(method, url, { token });
  expect(answer.statusCode).toBe(403);
  v6Error.parse(answer.json());
});

describe("running a test here", () => {
  it.each([
    [
      "POST",
      "/validate_options",
      { payload: '{"options":{}}', headers: { "content-type": "application/json" } },
    ],
    ["POST", "/load_tests/1/start", {}],
    ["POST", "/projects/1/load_tests", form({ name: "a", script: "tar" })],
    [
      "PUT",
      "/load_tests/1/script",
      { payload: Buffer.alloc(2 << 20), headers: { "content-type": "application/octet-stream" } },
    ],
  ] as const)("is refused at %s %s, with what to type instead", async (method, url, given) => {
    const answer = await ask(method, url, given);
    expect(answer.statusCode).toBe(405);
    expect(v6Error.parse(answer.json())).toMatchObject({
      error: {
        code: "not_supported",
        message: expect.stringContaining("k6 cloud run --local-execution"),
      },
    });
  });
});

it.each([
  ["a path that is not there", "GET", "/nothing?token=secret", "", 404, "not_found"],
  ["an id that cannot be", "GET", "/test_runs/99999999999", "", 404, "not_found"],
  ["a page that cannot be", "GET", "/projects?%24top=-1", "", 400, "validation_error"],
  ["JSON that is none", "POST", "/validate_options", "{", 400, "validation_error"],
  [
    "JSON that is too large",
    "POST",
    "/validate_options",
    `"${"x".repeat(1 << 20)}"`,
    413,
    "too_large",
  ],
] as const)("errors have k6's shape: %s", async (_, method, url, payload, status, code) => {
  const headers = payload === "" ? {} : { "content-type": "application/json" };
  const answer = await ask(method, url, { payload, headers });
  expect(answer.statusCode).toBe(status);
  expect(v6Error.parse(answer.json())).toMatchObject({ error: { code } });
  expect(answer.body).not.toContain("secret");
});
