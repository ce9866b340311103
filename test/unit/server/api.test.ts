import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { k6Entries, packEntries } from "../../support/k6-archive.ts";
import { parseOpenApi } from "../../support/openapi.ts";
import type { LogPageView } from "../../../src/server/api/log-view.ts";
import type { ScriptView } from "../../../src/server/api/script-view.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";

let host: ServerHost;
beforeAll(async () => {
  host = await startServerHost();
});
afterAll(() => host[Symbol.asyncDispose]());

interface Created {
  readonly run: { readonly id: number; readonly testid: string };
  readonly token: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function create(body: object = { test: "checkout" }, token = host.tokens.push) {
  const response = await host.ask(token, "POST", "/api/v1/runs", body);
  expect(response.statusCode, response.body).toBe(201);
  return response.json<Created>();
}

describe("openapi.json", () => {
  it("is a valid description of every route", async () => {
    const response = await host.app.inject("/api/v1/openapi.json");
    const { paths } = parseOpenApi(response.body);
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual([
      "delete /api/v1/runs/{id}",
      "delete /api/v1/runs/{id}/shares/{share}",
      "delete /api/v1/session",
      "delete /api/v1/tokens/{id}",
      "get /api/v1/runs",
      "get /api/v1/runs/{id}",
      "get /api/v1/runs/{id}/archive",
      "get /api/v1/runs/{id}/charts",
      "get /api/v1/runs/{id}/export",
      "get /api/v1/runs/{id}/live",
      "get /api/v1/runs/{id}/log-lines",
      "get /api/v1/runs/{id}/logs",
      "get /api/v1/runs/{id}/script",
      "get /api/v1/runs/{id}/script/file",
      "get /api/v1/runs/{id}/shares",
      "get /api/v1/runs/{id}/tables",
      "get /api/v1/session",
      "get /api/v1/tags",
      "get /api/v1/tests",
      "get /api/v1/tokens",
      "patch /api/v1/runs/{id}",
      "post /api/v1/runs",
      "post /api/v1/runs/{id}/end",
      "post /api/v1/runs/{id}/shares",
      "post /api/v1/runs/{id}/stop",
      "post /api/v1/session",
      "post /api/v1/tokens",
    ]);
  });

  it("describes what is answered", async () => {
    const { run } = await create({
      test: "described",
      thresholds: { http_reqs: ["count>1"] },
      tags: { team: "shop" },
    });
    await host.repository.change(run.id, {
      summary: [{ metric: "http_reqs", stat: "count", value: 7 }],
    });
    await host.service.log(run.id, [
      { timeNs: 1n, level: "info", message: "hello", labels: { source: "console" } },
    ]);
    const tar = await packEntries(k6Entries({ options: { vus: 1 }, env: { A: "***" } }));
    await host.service.saveArchive(run.id, chunks([tar]));
    const { paths } = parseOpenApi((await host.app.inject("/api/v1/openapi.json")).body);
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const [path, url] of [
      ["/api/v1/runs", "/api/v1/runs"],
      ["/api/v1/runs/{id}", `/api/v1/runs/${run.id}`],
      ["/api/v1/runs/{id}/export", `/api/v1/runs/${run.id}/export`],
      ["/api/v1/runs/{id}/log-lines", `/api/v1/runs/${run.id}/log-lines`],
      ["/api/v1/runs/{id}/script", `/api/v1/runs/${run.id}/script`],
      ["/api/v1/tests", "/api/v1/tests"],
      ["/api/v1/tags", "/api/v1/tags"],
      ["/api/v1/tokens", "/api/v1/tokens"],
    ] as const) {
      const { schema } =
        paths[path]?.["get"]?.responses["200"]?.content?.["application/json"] ?? {};
      const validate = ajv.compile(schema as object);
      const body = (await host.ask(host.tokens.admin, "GET", url)).json<unknown>();
      expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
    }
  });
});

describe("a run for generators that only push", () => {
  it("is made with a token of its own, and with what to export", async () => {
    const { run, token, environment } = await create({
      test: "checkout",
      tags: { release: "1.10" },
      thresholds: { "http_req_duration{status:200}": ["p(95)<500"] },
    });
    expect(run).toMatchObject({
      test: "checkout",
      source: "api",
      state: "initializing",
      startedBy: "push token",
      tags: { release: "1.10" },
      thresholds: [{ metric: "http_req_duration{status:200}", expression: "p(95)<500", ok: null }],
    });
    expect(environment).toMatchObject({
      K6_CLOUD_HOST: "https://k6.test",
      K6_CLOUD_TOKEN: token,
      K6_CLOUD_PUSH_REF_ID: String(run.id),
      K6_CLOUD_METRICS_PUSH_URL: `https://k6.test/ingest/${run.id}/metrics`,
      K6_CLOUD_TEST_RUN_TOKEN: token,
    });
  });

  it("is made once for requests with one key", async () => {
    const ask = () =>
      host.app.inject({
        method: "POST",
        url: "/api/v1/runs",
        headers: { authorization: `Bearer ${host.tokens.push}`, "idempotency-key": "k" },
        payload: { test: "once" },
      });
    const [first, second] = [await ask(), await ask()];
    expect(second.json<Created>().run.id).toBe(first.json<Created>().run.id);
  });

  it("is no one else's, whoever asks with the same key", async () => {
    const ask = (token: string, key: string) =>
      host.app.inject({
        method: "POST",
        url: "/api/v1/runs",
        headers: { authorization: `Bearer ${token}`, "idempotency-key": key },
        payload: { test: "guessed" },
      });
    const alices = (await ask(host.tokens.push, "build-123")).json<Created>();
    const made = { name: "bob", role: "push" };
    const bob = await host.ask(host.tokens.admin, "POST", "/api/v1/tokens", made);
    const bobs = (await ask(bob.json<{ token: string }>().token, "build-123")).json<Created>();
    expect(bobs.run.id).not.toBe(alices.run.id);
    expect(bobs.run).toMatchObject({ startedBy: "bob" });
    // Her token is good for her run as before, and his is not.
    const end = (token: string) => host.ask(token, "POST", `/api/v1/runs/${alices.run.id}/end`, {});
    expect((await end(bobs.token)).statusCode).toBe(403);
    expect((await end(alices.token)).statusCode).toBe(200);
  });

  it("ends as it is told, and then cannot be stopped", async () => {
    const { run, token } = await create();
    const ended = await host.ask(token, "POST", `/api/v1/runs/${run.id}/end`, {
      state: "aborted_by_user",
      reason: "enough",
    });
    expect(ended.json()).toMatchObject({ state: "aborted_by_user", result: "error" });
    const { history } = ended.json<{ history: object[] }>();
    expect(history.at(-1)).toMatchObject({ reason: "enough", by: `run ${run.id}` });
    const stopped = await host.ask(host.tokens.read, "POST", `/api/v1/runs/${run.id}/stop`);
    expect(stopped.statusCode).toBe(409);
  });

  it("can be stopped while it goes on", async () => {
    const { run } = await create();
    expect(run).toMatchObject({ stop: { can: true } });
    const stopped = await host.ask(host.tokens.push, "POST", `/api/v1/runs/${run.id}/stop`);
    expect([stopped.statusCode, stopped.json()]).toEqual([202, { outcome: "stopping" }]);
  });

  it("says where stopping does not work", async () => {
    const { run } = await host.service.start({
      projectId: 1,
      test: "local",
      source: "cloud-v6",
      generator: "k6/2.2.0",
      startedBy: "ann",
      options: {},
      thresholds: [],
      maxVus: undefined,
      expectedSeconds: undefined,
      tags: {},
      note: "",
      idempotencyKey: "",
    });
    const stopped = await host.ask(host.tokens.read, "POST", `/api/v1/runs/${run.id}/stop`);
    expect(stopped.statusCode).toBe(409);
    expect(stopped.body).toContain("Ctrl-C");
    const { stop } = (await host.ask(host.tokens.read, "GET", `/api/v1/runs/${run.id}`)).json<{
      stop: { can: boolean; why: string };
    }>();
    expect(stop.can).toBe(false);
    expect(stopped.json()).toMatchObject({ error: { message: stop.why } });
  });
});

describe("reading runs", () => {
  it("gives pages of those that match, newest first", async () => {
    const made = [];
    for (const note of ["a", "b", "c"]) {
      made.push(await create({ test: "paged", note, tags: { team: note === "b" ? "x" : "y" } }));
    }
    const list = async (query: string) => {
      const response = await host.ask(host.tokens.read, "GET", `/api/v1/runs?test=paged&${query}`);
      return response.json<{ runs: { id: number }[]; total: number; next: string | null }>();
    };
    const ids = made.map(({ run }) => run.id);
    const first = await list("limit=2");
    expect([first.runs.map(({ id }) => id), first.total]).toEqual([[ids[2], ids[1]], 3]);
    const second = await list(`limit=2&after=${encodeURIComponent(first.next ?? "")}`);
    expect([second.runs.map(({ id }) => id), second.next]).toEqual([[ids[0]], null]);
    expect((await list("tag=team%3Dx")).runs.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await list("state=initializing&state=running")).total).toBe(3);
    expect((await list("state=finished")).total).toBe(0);
  });

  it("gives them in any order, each page where the last one ended, and none after a page of another order", async () => {
    for (const requests of [20, 5, 100, undefined, 5]) {
      const { run } = await create({ test: `sorted ${requests ?? ""}`, tags: { set: "sorted" } });
      const value = requests ?? 0;
      const summary = [{ metric: "http_reqs", stat: "count", value }];
      if (requests !== undefined) await host.repository.change(run.id, { summary });
    }
    const list = async (query: string) =>
      await host.ask(host.tokens.read, "GET", `/api/v1/runs?tag=set%3Dsorted&limit=2&${query}`);
    const seen = [];
    let after = "";
    do {
      const page = (await list(`sort=requests&order=asc${after}`)).json<{
        runs: { headline: { requests: number } | null }[];
        next: string | null;
      }>();
      seen.push(...page.runs.map(({ headline }) => headline?.requests));
      after = page.next === null ? "" : `&after=${page.next}`;
    } while (after !== "");
    expect(seen).toEqual([undefined, 5, 5, 20, 100]);
    const { next } = (await list("sort=requests")).json<{ next: string }>();
    const wrong = await list(`sort=test&after=${next}`);
    expect([wrong.statusCode, wrong.body]).toEqual([
      400,
      expect.stringContaining("cannot list runs by test after"),
    ]);
    expect((await list("sort=note")).statusCode).toBe(400);
    const long = await list(`search=${"x%2F".repeat(2_500)}`);
    expect([long.statusCode, long.json()]).toMatchObject([200, { total: 0 }]);
  });

  it("keeps a star until it is taken away, and finds what has one", async () => {
    const { run } = await create({ test: "starred" });
    const url = `/api/v1/runs/${run.id}`;
    const found = async () =>
      (await host.ask(host.tokens.read, "GET", "/api/v1/runs?starred=true"))
        .json<{ runs: { id: number; starred: boolean }[] }>()
        .runs.map(({ id, starred }) => [id, starred]);
    expect(await found()).toEqual([]);
    const given = await host.ask(host.tokens.read, "PATCH", url, { starred: true });
    expect(given.json()).toMatchObject({ starred: true, note: "" });
    const noted = await host.ask(host.tokens.read, "PATCH", url, { note: "the baseline" });
    expect(noted.json()).toMatchObject({ starred: true, note: "the baseline" });
    expect(await found()).toEqual([[run.id, true]]);
    await host.ask(host.tokens.read, "PATCH", url, { starred: false });
    expect(await found()).toEqual([]);
    for (const nothing of [{}, { starred: "perhaps" }, { star: true }]) {
      const refused = await host.ask(host.tokens.read, "PATCH", url, nothing);
      expect(refused.statusCode, JSON.stringify(nothing)).toBe(400);
    }
  });

  it("names the tests and the tags that runs have", async () => {
    const name = 'faceted <b onclick="x">';
    for (const release of ["1", "2", "1"]) await create({ test: name, tags: { release } });
    const { tests } = (await host.ask(host.tokens.read, "GET", "/api/v1/tests")).json<{
      tests: { name: string; runs: number; lastRun: string }[];
    }>();
    expect(tests[0]).toMatchObject({ name, runs: 3 });
    expect(Date.parse(tests[0]?.lastRun ?? "")).toBeGreaterThan(Date.now() - 60_000);
    const { tags } = (await host.ask(host.tokens.read, "GET", "/api/v1/tags")).json<{
      tags: { name: string; values: string[] }[];
    }>();
    expect(tags.find((tag) => tag.name === "release")?.values.slice(0, 2)).toEqual(["1", "2"]);
  });

  it("gives the lines of its log that match, from the last page on", async () => {
    const { run } = await create();
    const url = `/api/v1/runs/${run.id}/log-lines`;
    const get = async (query: string) =>
      (await host.ask(host.tokens.read, "GET", `${url}?${query}`)).json<LogPageView>();
    expect(await get("")).toEqual({ lines: [], next: 0, isEnd: true });
    const log = (message: string, level: string) => ({
      timeNs: 1_700_000_000_000_000_001n,
      level,
      message,
      labels: { source: "console" },
    });
    const long = `${"<script>".repeat(2_048)}\0\ud83d`;
    await host.service.log(run.id, [log("first", "info"), log(long, "error")]);
    const page = await get("tail=true&limit=1");
    expect(page.lines).toEqual([
      { ...log(long.slice(0, 16_384), "error"), timeNs: "1700000000000000001" },
    ]);
    await host.service.log(run.id, [log("later", "error"), log("last", "info")]);
    const later = await get(`from=${page.next}&level=error&search=LATE`);
    expect(later).toMatchObject({ lines: [{ message: "later" }], isEnd: true });
    for (const wrong of ["limit=2001", "from=-1", "from=1.5", "frm=1"]) {
      const refused = await host.ask(host.tokens.read, "GET", `${url}?${wrong}`);
      expect(refused.statusCode, wrong).toBe(400);
    }
  });

  it("gives its script and the text of each file as nothing but text, and says what is wrong with an archive", async () => {
    const { run } = await create();
    const get = async (path: string) =>
      await host.ask(host.tokens.read, "GET", `/api/v1/runs/${run.id}/${path}`);
    expect((await get("script")).statusCode).toBe(404);
    const name = "file/home/<img src=x onerror=alert(1)>.html";
    const tar = await packEntries([
      ...k6Entries({ options: {}, env: {} }, "export default () => {}"),
      { header: { name }, content: `<script>${"x".repeat(2 ** 20)}` },
    ]);
    await host.service.saveArchive(run.id, chunks([tar]));
    const { files, main } = (await get("script")).json<ScriptView>();
    expect([main, files.length]).toEqual(["/home/script.js", 2]);
    const file = await get(`script/file?path=${encodeURIComponent(files[1]?.path ?? "")}`);
    expect(file.body).toHaveLength(2 ** 20);
    expect(file.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "x-plimsoll-truncated": "true",
    });
    const whole = await get("script/file?path=%2Fhome%2Fscript.js");
    expect([whole.body, whole.headers["x-plimsoll-truncated"]]).toEqual([
      "export default () => {}",
      undefined,
    ]);
    for (const path of ["../../etc/passwd", "/etc/passwd", "file/home/script.js", "", "\0"]) {
      const none = await get(`script/file?path=${encodeURIComponent(path)}`);
      expect(none.statusCode, path).toBe(404);
    }
    await host.service.saveArchive(run.id, chunks([tar.subarray(0, 3_000)]));
    for (const path of ["script", "script/file?path=/a"]) {
      const damaged = await get(path);
      expect([damaged.statusCode, damaged.body], path).toEqual([
        500,
        expect.stringContaining(`the archive of run ${run.id} cannot be read: `),
      ]);
    }
  });

  it("finds a run by its testid, and changes its note", async () => {
    const { run } = await create();
    const url = `/api/v1/runs/${run.testid}`;
    await host.ask(host.tokens.read, "PATCH", url, { note: "Bobby'); drop table runs;--" });
    const response = await host.ask(host.tokens.read, "GET", url);
    expect(response.json()).toMatchObject({ id: run.id, note: "Bobby'); drop table runs;--" });
  });

  it("gives its log and its archive, and both beside the record", async () => {
    const { run } = await create();
    await host.service.log(run.id, [
      { timeNs: 1_700_000_000_000_000_000n, level: "info", message: "hello", labels: {} },
    ]);
    await host.service.end(run.id, { state: "finished" });
    const log = await host.ask(host.tokens.read, "GET", `/api/v1/runs/${run.id}/logs`);
    expect(
      log.body
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([expect.objectContaining({ message: "hello" })]);
    const exported = await host.ask(host.tokens.read, "GET", `/api/v1/runs/${run.id}/export`);
    expect(exported.json()).toMatchObject({
      run: { id: run.id, state: "finished", logLines: 1 },
      log: [{ message: "hello" }],
    });
    const archive = `/api/v1/runs/${run.id}/archive`;
    expect((await host.ask(host.tokens.read, "GET", archive)).statusCode).toBe(404);
    await host.service.saveArchive(run.id, chunks(["a tar"]));
    const tar = await host.ask(host.tokens.read, "GET", archive);
    expect([tar.body, tar.headers["content-type"]]).toEqual(["a tar", "application/x-tar"]);
  });

  it("removes what is over, with all that belongs to it, and nothing else", async () => {
    const { run } = await create();
    const url = `/api/v1/runs/${run.id}`;
    const early = await host.ask(host.tokens.admin, "DELETE", url);
    expect([early.statusCode, early.body]).toEqual([409, expect.stringContaining("initializing")]);
    await host.service.saveArchive(run.id, chunks(["a tar"]));
    await host.ask(host.tokens.push, "POST", `${url}/end`, {});
    expect((await host.ask(host.tokens.admin, "DELETE", url)).statusCode).toBe(204);
    for (const gone of [url, `${url}/archive`, `${url}/logs`]) {
      expect((await host.ask(host.tokens.admin, "GET", gone)).statusCode).toBe(404);
    }
  });
});

it("says in words what is wrong with a request, all of it at once", async () => {
  const response = await host.ask(host.tokens.push, "POST", "/api/v1/runs", {
    tset: "checkout",
    note: 7,
    project: 0,
    thresholds: [],
  });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({
    error: {
      code: "validation_error",
      details: expect.arrayContaining([
        { code: "invalid", target: "test", message: "is missing" },
        { code: "invalid", target: "tset", message: "is not known here" },
        { code: "invalid", target: "project", message: "must be >= 1" },
      ]) as unknown,
    },
  });
  const threshold = await host.ask(host.tokens.push, "POST", "/api/v1/runs", {
    test: "x",
    thresholds: { http_reqs: ["more<1"] },
  });
  expect([threshold.statusCode, threshold.body]).toEqual([400, expect.stringContaining("more<1")]);
});

async function* chunks(texts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield typeof text === "string" ? Buffer.from(text) : text;
}
