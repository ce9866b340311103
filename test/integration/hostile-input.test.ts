/**
 * What a hostile client sends to every family of endpoints of the built `plimsoll serve`: each is refused with the right
 * status and in the words that k6 reads there, the server stays up and small, and a victim's run beside it stays unread and
 * as it was. A million broken pushes: `npm run bench -- fuzz`.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import snappy from "snappy";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { brokenBody, randomBreak } from "../support/broken-metric-sets.ts";
import { type CloudServer, startCloudServer } from "../support/cloud-server.ts";
import { encodeMetricSet } from "../support/encode-metric-set.ts";
import {
  type Answer,
  type Ask,
  clientOf,
  type Question,
  sendRaw,
  trickle,
} from "../support/hostile-client.ts";
import { type ArchiveEntry, k6Entries, packEntries } from "../support/k6-archive.ts";
import { seeded } from "../support/k6-run.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";

/** In everything that is the victim's. */
const secret = "victims-own-4711";
/** Bodies of 64 MiB and what is made of them, several at a time, and what the process has without them. */
const maxResidentBytes = 2 ** 30;

interface Started {
  readonly test_run_id: number;
  readonly archive_upload_url: string;
  readonly runtime_config: { readonly test_run_token: string };
}

let receiver: ReceiverServer;
let server: CloudServer;
let mallory: string;
let victim: Victim;
let slow: Promise<string[]>;
let ask: Ask;

interface Victim {
  readonly token: string;
  readonly runId: number;
  readonly testId: number;
  readonly runToken: string;
  readonly uploadPath: string;
}

beforeAll(async () => {
  receiver = await startReceiverServer();
  server = await startCloudServer({
    writeUrl: receiver.url,
    // The victim is silent for as long as this file takes.
    flags: ["--trust-proxy", "127.0.0.1", "--run-timeout", "1h"],
  });
  ask = clientOf(server.url, "203.0.113.1");
  mallory = await issue("mallory");
  // Until the end of this file: the server gives headers ten seconds.
  slow = Promise.all(
    Array.from({ length: 200 }, () =>
      trickle(server.url, "POST /v1/tests HTTP/1.1\r\nHost: a\r\nX-Slow: "),
    ),
  );
  const token = await issue("victim");
  const { id: testId } = await json<{ id: number }>(
    ask("/cloud/v6/projects/1/load_tests", { token, body: form({ name: `test ${secret}` }) }),
  );
  const started = await start(token, testId, { tags: { team: secret }, cloud: { note: secret } });
  const runId = started.test_run_id;
  const uploadPath = pathOf(started.archive_upload_url);
  victim = { token, runId, testId, runToken: started.runtime_config.test_run_token, uploadPath };
  const archive = await packEntries(k6Entries({ options: {} }, `// ${secret}`));
  expect((await ask(uploadPath, upload(archive))).status).toBe(204);
  expect(
    (await ask(`/ingest/${runId}/logs`, { token: victim.runToken, body: logs(secret) })).status,
  ).toBe(204);
  await pushOfVictim("a");
  before = await stateOfVictim();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** Each test is somebody else's, and has wrong tokens of its own. */
let address = 1;
beforeEach(() => {
  ask = clientOf(server.url, `203.0.113.${++address}`);
});

afterEach(async () => {
  for (const path of ["/-/healthy", "/-/ready"]) {
    expect((await ask(path, { method: "GET" })).status).toBe(200);
  }
  const { text } = await ask("/metrics", { method: "GET", token: server.adminToken });
  const resident = Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
  expect(resident).toBeLessThan(maxResidentBytes);
  expect(await stateOfVictim()).toEqual(before);
});

let before: unknown;

async function stateOfVictim(): Promise<unknown> {
  const path = `/runs/${victim.runId}`;
  const view: RunView = await server.run(victim.runId);
  const parts = await Promise.all(
    [`${path}/logs`, `${path}/archive`].map(async (one) => (await server.ask("GET", one)).text()),
  );
  expect(parts.every((text) => text.includes(secret))).toBe(true);
  // Time passes.
  return { ...view, thresholds: [], parts };
}

async function pushOfVictim(key: string): Promise<void> {
  const { runId, runToken } = victim;
  const answer = await ask(`/ingest/${runId}/metrics`, {
    ...push(samples({ name: key })),
    token: runToken,
  });
  expect(answer.status).toBe(204);
  await server.waitForRun(
    runId,
    ({ state, started, lastData }) => state === "running" && started !== null && lastData !== null,
  );
}

async function issue(name: string): Promise<string> {
  const made = await server.ask("POST", "/tokens", { name, role: "push" });
  return ((await made.json()) as { token: string }).token;
}

async function json<Body>(answer: Promise<Answer>): Promise<Body> {
  const { status, text } = await answer;
  expect(status, text).toBeLessThan(300);
  // What the API's own tests hold it to.
  return JSON.parse(text) as Body;
}

function form(fields: Readonly<Record<string, string>>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

async function start(
  token: string,
  testId: number,
  options: object = {},
  prefix = "",
): Promise<Started> {
  const body = { options, max_vus: 1, total_duration: 60, archive_size: 10_240 };
  const path = `${prefix}/provisioning/v1/load_tests/${testId}/start_local_execution`;
  return await json<Started>(ask(path, { token, body }));
}

/** A run of the attacker's own. */
async function ownRun(): Promise<Started> {
  return await start(mallory, victim.testId);
}

const pathOf = (url: string): string => url.replace(server.url, "");
const upload = (body: Buffer | Iterable<Buffer>): Question => ({
  method: "PUT",
  headers: { "Content-Type": "application/x-tar" },
  body,
});
const push = (body: Buffer | Iterable<Buffer>): Question => ({
  headers: { "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy" },
  body,
});
const asJson = (body: string | Iterable<Buffer>): Question => ({
  headers: { "Content-Type": "application/json" },
  body,
});
const logs = (text: string) => ({
  streams: [{ stream: { level: "info" }, values: [["1767225601000000000", text]] }],
});
const samples = (tags: Readonly<Record<string, string>>, name = "http_reqs"): Buffer =>
  encodeMetricSet([
    {
      name,
      type: "counter",
      series: [{ tags, values: [{ seconds: Math.floor(Date.now() / 1_000), values: [1] }] }],
    },
  ]);

/** Where something is sent, as whoever may, and in whose words a refusal comes. */
interface Endpoint {
  readonly name: string;
  readonly words: "legacy" | "v6" | "text" | "own";
  readonly kind: "json" | "form" | "push" | "tar";
  readonly limitBytes: number;
  path(run: Started): string;
}

const MiB = 2 ** 20;
const endpoints: readonly Endpoint[] = [
  {
    name: "POST /v1/tests",
    words: "legacy",
    kind: "json",
    limitBytes: MiB,
    path: () => "/v1/tests",
  },
  {
    name: "POST /v1/tests/ID",
    words: "legacy",
    kind: "json",
    limitBytes: MiB,
    path: (run) => `/v1/tests/${run.test_run_id}`,
  },
  {
    name: "POST /v2/metrics/ID",
    words: "legacy",
    kind: "push",
    limitBytes: 16 * MiB,
    path: (run) => `/v2/metrics/${run.test_run_id}`,
  },
  {
    name: "POST /cloud/v6/…/load_tests",
    words: "v6",
    kind: "form",
    limitBytes: MiB,
    path: () => "/cloud/v6/projects/1/load_tests",
  },
  {
    name: "POST /provisioning/v1/…/start_local_execution",
    words: "text",
    kind: "json",
    limitBytes: MiB,
    path: () => `/provisioning/v1/load_tests/${victim.testId}/start_local_execution`,
  },
  {
    name: "POST /provisioning/v1/…/notify",
    words: "text",
    kind: "json",
    limitBytes: MiB,
    path: (run) => `/provisioning/v1/test_runs/${run.test_run_id}/notify`,
  },
  {
    name: "POST /ingest/ID/metrics",
    words: "text",
    kind: "push",
    limitBytes: 16 * MiB,
    path: (run) => `/ingest/${run.test_run_id}/metrics`,
  },
  {
    name: "POST /ingest/ID/logs",
    words: "text",
    kind: "json",
    limitBytes: 16 * MiB,
    path: (run) => `/ingest/${run.test_run_id}/logs`,
  },
  {
    name: "PUT /upload/ID",
    words: "text",
    kind: "tar",
    limitBytes: 100 * MiB,
    path: (run) => pathOf(run.archive_upload_url),
  },
  {
    name: "POST /api/v1/runs",
    words: "own",
    kind: "json",
    limitBytes: MiB,
    path: () => "/api/v1/runs",
  },
];
const withKind = (...kinds: readonly Endpoint["kind"][]): readonly Endpoint[] =>
  endpoints.filter(({ kind }) => kinds.includes(kind));

/** A refusal as k6 reads it there. */
function expectRefusal(
  words: Endpoint["words"],
  { status, headers, text }: Answer,
  ...statuses: readonly number[]
): void {
  expect(statuses, `${status}: ${text}`).toContain(status);
  expect(text).not.toContain(secret);
  // Neither a stack, nor where the server lies.
  expect(text).not.toMatch(/node_modules|\.ts:|\.js:|\/root\/|internal error/);
  if (words === "text") {
    expect(headers.get("content-type")).toContain("text/plain");
    expect(text).toMatch(/^[^{<]/);
    expect(text.length).toBeLessThan(2_000);
    return;
  }
  expect(headers.get("content-type")).toContain("application/json");
  const { error } = JSON.parse(text) as { error: Record<string, unknown> };
  expect(error["message"]).toMatch(/./);
  // Only "stop" has a number in the older API; in the others it is a word, and k6 panics at a target that is null.
  expect(typeof error["code"]).toBe(words === "legacy" ? "undefined" : "string");
  expect(text).not.toContain('"target":null');
}

describe("a body that is too large", () => {
  const bodyOf = function* ({ kind, limitBytes }: Endpoint): Generator<Buffer> {
    if (kind === "push") {
      // So that it is no matter of its beginning.
      yield Buffer.from([0x80, 0x80, 0x80, 0x10]);
    }
    if (kind === "json") yield Buffer.from('{"x":"');
    const chunk = Buffer.alloc(MiB, "x");
    for (let sent = 0; sent <= limitBytes; sent += chunk.length) yield chunk;
  };

  it.each(withKind("json", "push"))(
    "is refused, in chunks and with its length: $name",
    async (endpoint) => {
      const path = endpoint.path(await ownRun());
      const question = endpoint.kind === "push" ? push : asJson;
      const inChunks = await ask(path, { ...question(bodyOf(endpoint)), token: mallory }).catch(
        cutOff,
      );
      if (inChunks) expectRefusal(endpoint.words, inChunks, 413);
      const head = [
        `POST ${path} HTTP/1.1`,
        "Host: a",
        `Authorization: Bearer ${mallory}`,
        `Content-Length: ${endpoint.limitBytes + 1}`,
        ...(endpoint.kind === "push"
          ? ["Content-Type: application/x-protobuf", "Content-Encoding: snappy"]
          : ["Content-Type: application/json"]),
      ];
      expect(await sendRaw(server.url, `${head.join("\r\n")}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    },
  );

  it("is refused as an archive, and nothing of it is kept", async () => {
    const run = await ownRun();
    const tar = await packEntries([
      ...k6Entries({ options: {} }),
      { header: { name: "file/x" }, content: Buffer.alloc(101 * MiB) },
    ]);
    const answer = await ask(pathOf(run.archive_upload_url), upload(tar)).catch(cutOff);
    if (answer) expectRefusal("text", answer, 413);
    expect((await server.run(run.test_run_id)).archiveBytes).toBe(0);
    expect(
      (await filesBelow("archives")).filter((name) => !name.includes(`/${victim.runId}-`)),
    ).toEqual([]);
  });

  it("is refused as a form", async () => {
    const fields = form({ name: "n".repeat(20_000) });
    expectRefusal(
      "v6",
      await ask("/cloud/v6/projects/1/load_tests", { token: mallory, body: fields }),
      400,
      413,
    );
    const many = form(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`f${at}`, "x"])));
    expectRefusal(
      "v6",
      await ask("/cloud/v6/projects/1/load_tests", { token: mallory, body: many }),
      413,
    );
  });
});

/** The server answers before it has read all, and ends the connection: then fetch may not get to see the answer. */
function cutOff(error: unknown): undefined {
  expect(String((error as Error).cause)).toMatch(/EPIPE|ECONNRESET|other side closed/);
}

async function filesBelow(folder: string): Promise<string[]> {
  const all = await readdir(server.folder, { recursive: true });
  return all.filter((path) => path.includes(`${folder}/`));
}

it("a body that is refused before its end leaves its connection to the next request", async () => {
  const tar = await packEntries([
    ...k6Entries({ options: {} }),
    { header: { name: "/evil" }, content: Buffer.alloc(8 * MiB) },
  ]);
  const field = (name: string, rest = ""): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n`;
  const file = Buffer.concat([
    Buffer.from(field("file", '; filename="a"')),
    tar,
    Buffer.from("\r\n--b--\r\n"),
  ]);
  const fields = Buffer.from(
    ["name", "vus", "duration"].map((name) => `${field(name)}1\r\n`).join(""),
  );
  const multipart = "multipart/form-data; boundary=b";
  const run = await ownRun();
  for (const [method, path, type, body] of [
    ["PUT", pathOf(run.archive_upload_url), "application/x-tar", tar],
    ["PUT", "/cloud/v6/load_tests/1/script", "application/octet-stream", tar],
    ["POST", "/cloud/v6/projects/1/load_tests", multipart, file],
    ["POST", "/v1/tests", multipart, file],
    ["POST", "/v1/tests", multipart, Buffer.concat([fields, file])],
  ] as const) {
    const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${mallory}\r\nContent-Type: ${type}\r\n`;
    const first = Buffer.concat([
      Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`),
      body,
    ]);
    const next = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n";
    const answer = await sendRaw(server.url, Buffer.concat([first, Buffer.from(next)]));
    expect([...answer.matchAll(/HTTP\/1\.1 (\d)/g)].map(([, digit]) => digit)).toEqual(["4", "2"]);
  }
});

describe("a body that breaks off", () => {
  it.each(endpoints)(
    "is refused, and is none where the connection does: $name",
    async (endpoint) => {
      const run = await ownRun();
      const path = endpoint.path(run);
      const { question, whole } = await wholeBody(endpoint.kind);
      const token = endpoint.kind === "tar" ? undefined : mallory;
      const half = whole.subarray(0, Math.floor(whole.length / 2));
      const answer = await ask(path, { ...question(half), ...(token && { token }) });
      expectRefusal(endpoint.words, answer, 400);
      const { method = "POST", headers = {} } = question(half);
      const head = [
        `${method} ${path} HTTP/1.1`,
        "Host: a",
        ...(token ? [`Authorization: Bearer ${token}`] : []),
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        `Content-Length: ${whole.length}`,
      ];
      const text = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), half]);
      expect(await sendRaw(server.url, text)).not.toMatch(/^HTTP\/1\.1 [25]/);
      const { state, archiveBytes, logLines } = await server.run(run.test_run_id);
      expect({ state, archiveBytes, logLines }).toEqual({
        state: "initializing",
        archiveBytes: 0,
        logLines: 0,
      });
    },
  );
});

async function wholeBody(
  kind: Endpoint["kind"],
): Promise<{ question: (body: Buffer) => Question; whole: Buffer }> {
  switch (kind) {
    case "json":
      return {
        question: (body) => asJson(body.toString()),
        whole: Buffer.from(JSON.stringify({ name: "a".repeat(100) })),
      };
    case "push":
      return { question: push, whole: samples({ a: "a".repeat(100) }) };
    case "tar":
      return {
        question: upload,
        whole: await packEntries(k6Entries({ options: {} }, "x".repeat(9_000))),
      };
    case "form": {
      const headers = { "Content-Type": "multipart/form-data; boundary=b" };
      const text =
        '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nabcdefgh\r\n--b--\r\n';
      return { question: (body) => ({ headers, body }), whole: Buffer.from(text) };
    }
  }
}

describe.each(withKind("push"))("$name", (endpoint) => {
  it("inflates no bomb", async () => {
    const run = await ownRun();
    const path = endpoint.path(run);
    const send = async (body: Buffer) => await ask(path, { ...push(body), token: mallory });
    // 4 GiB, of six bytes and of as many as could make them.
    const promise = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expectRefusal(endpoint.words, await send(Buffer.concat([promise, Buffer.alloc(1)])), 400);
    expectRefusal(
      endpoint.words,
      await send(Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x30]), Buffer.alloc(15 * MiB)])),
      413,
    );
    // What may be inflated, and would be a gigabyte of objects.
    const metrics = Buffer.alloc(60 * MiB, Buffer.from([0x1a, 0]));
    const bombs = [snappy.compressSync(metrics), snappy.compressSync(Buffer.alloc(60 * MiB))];
    const answers = await Promise.all([...bombs, ...bombs].map(send));
    for (const answer of answers) expectRefusal(endpoint.words, answer, 400);
  });

  it("takes broken protobuf for what it is, and fails at none", async () => {
    const run = await ownRun();
    const seed = Date.now() % 2 ** 31;
    const random = seeded(seed);
    const statuses = new Map<number, number>();
    for (let at = 0; at < 300; at++) {
      const answer = await ask(endpoint.path(run), {
        ...push(brokenBody(randomBreak(random))),
        token: mallory,
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status !== 204) expectRefusal(endpoint.words, answer, 400, 413);
    }
    expect(statuses.get(400), `seed ${seed}`).toBeGreaterThan(30);
    expect(statuses.get(204), `seed ${seed}`).toBeGreaterThan(10);
  });

  it("is refused without its headers, and with those of another protocol", async () => {
    const path = endpoint.path(await ownRun());
    const body = samples({});
    for (const headers of [
      {},
      { "Content-Type": "application/x-protobuf" },
      { "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip" },
    ]) {
      expectRefusal(endpoint.words, await ask(path, { token: mallory, headers, body }), 415);
    }
  });
});

describe("an archive", () => {
  it.each<[string, ArchiveEntry]>([
    ["a path upwards", { header: { name: "file/../../../evil" }, content: "x" }],
    ["an absolute path", { header: { name: "/tmp/evil" }, content: "x" }],
    ["a path of Windows", { header: { name: "C:\\evil" }, content: "x" }],
    [
      "a symbolic link",
      { header: { name: "file/evil", type: "symlink", linkname: "/etc/passwd" } },
    ],
    ["a link upwards", { header: { name: "file/evil", type: "link", linkname: "../plimsoll.db" } }],
    ["a device", { header: { name: "file/evil", type: "character-device" } }],
  ])("with %s is refused by each way in, and leaves no file", async (_, entry) => {
    const tar = await packEntries([...k6Entries({ options: {} }), entry]);
    const run = await ownRun();
    expectRefusal("text", await ask(pathOf(run.archive_upload_url), upload(tar)), 400);
    expect((await server.run(run.test_run_id)).archiveBytes).toBe(0);
    const legacy = form({ name: "evil archive", vus: "1", duration: "1" });
    legacy.set("file", new Blob([new Uint8Array(tar)]), "archive.tar");
    expectRefusal("legacy", await ask("/v1/tests", { token: mallory, body: legacy }), 400);
    expect((await filesBelow("")).filter((name) => /evil|\.part$/.test(name))).toEqual([]);
  });
});

describe("a token that is not for it", () => {
  const get = { method: "GET" };
  /** What is to be refused, by the family of its path; with the status for a run's token, and for another user's. */
  const foreign = (
    runId: number,
    name: string,
  ): readonly (readonly [number, number, string, Question])[] => [
    [403, 404, `/v1/tests/${runId}`, { body: { run_status: 3 } }],
    [403, 404, `/cloud/v6/test_runs/${runId}`, get],
    [403, 404, `/cloud/v6/test_runs/${runId}/abort`, {}],
    [
      403,
      404,
      `/provisioning/v1/test_runs/${runId}/notify`,
      { body: { event_type: "script_execution_completed" } },
    ],
    [403, 403, "/cloud/v6/projects", get],
    [403, 403, "/cloud/v6/projects/1/load_tests", get],
    [403, 403, `/api/v1/runs/${name}`, get],
    [403, 403, `/api/v1/runs/${name}/logs`, get],
    [403, 403, `/api/v1/runs/${name}/archive`, get],
    [403, 403, `/api/v1/runs/${name}/export`, get],
    [403, 403, `/api/v1/runs/${name}`, { method: "PATCH", body: { note: "mine" } }],
    [403, 403, `/api/v1/runs/${name}`, { method: "DELETE" }],
    [403, 403, `/api/v1/runs/${name}/end`, { body: {} }],
    [403, 403, `/api/v1/runs/${name}/stop`, {}],
    [403, 403, `/api/v1/runs/${name}/shares`, get],
    [403, 403, `/api/v1/runs/${name}/shares`, { body: {} }],
    [403, 403, `/api/v1/runs/${name}/shares/1`, { method: "DELETE" }],
    [403, 403, "/api/v1/runs", get],
    [403, 403, "/api/v1/tokens", get],
    [403, 403, "/metrics", get],
  ];
  const wordsOf = (path: string): Endpoint["words"] => {
    if (/^\/(?:agents\/a\/)?v[12]\//.test(path)) return "legacy";
    if (path.startsWith("/cloud/v6")) return "v6";
    return /^\/(?:api|metrics)/.test(path) ? "own" : "text";
  };

  it("of another run, or of another user that may only push, reads and ends nothing", async () => {
    const token = (await ownRun()).runtime_config.test_run_token;
    const { testid } = await server.run(victim.runId);
    for (const name of [String(victim.runId), testid]) {
      for (const [ofRun, ofUser, path, question] of foreign(victim.runId, name)) {
        expectRefusal(wordsOf(path), await ask(path, { ...question, token }), ofRun);
        expectRefusal(wordsOf(path), await ask(path, { ...question, token: mallory }), ofUser);
      }
    }
  });

  it("of another run pushes nothing, and starts nothing", async () => {
    const own = await ownRun();
    const token = own.runtime_config.test_run_token;
    const { runId, testId, uploadPath } = victim;
    const proof = /token=(.*)/.exec(own.archive_upload_url)?.[1] ?? "";
    const pushes: readonly (readonly [number, string, Question])[] = [
      [403, `/v2/metrics/${runId}`, { ...push(samples({})), token }],
      [403, `/agents/a/v2/metrics/${runId}`, { ...push(samples({})), token }],
      [403, `/ingest/${runId}/metrics`, { ...push(samples({})), token }],
      [403, `/ingest/${runId}/logs`, { body: logs("x"), token }],
      [401, `/upload/${runId}?token=${token}`, upload(Buffer.from("x"))],
      [401, `/upload/${runId}?token=${proof}`, upload(Buffer.from("x"))],
      // Its own secret comes too late: the run has begun.
      [409, uploadPath, upload(Buffer.from("x"))],
      [403, "/v1/tests", { body: { name: "a", vus: 1, duration: 1 }, token }],
      [403, `/provisioning/v1/load_tests/${testId}/start_local_execution`, { body: {}, token }],
      [403, "/cloud/v6/projects/1/load_tests", { body: form({ name: "a" }), token }],
      [403, "/api/v1/runs", { body: { test: "a" }, token }],
    ];
    for (const [status, path, question] of pushes) {
      expectRefusal(wordsOf(path), await ask(path, question), status);
    }
  });

  it("that nobody issued is refused everywhere, twenty times a minute", async () => {
    const run = await ownRun();
    const wrong = `plm_${"x".repeat(43)}`;
    for (const endpoint of endpoints) {
      const path = endpoint.path(run).replace(/token=.*/, `token=${wrong}`);
      expectRefusal(
        endpoint.words,
        await ask(path, { method: endpoint.kind === "tar" ? "PUT" : "POST", token: wrong }),
        401,
      );
    }
    const statuses = [];
    for (let at = 0; at < 20; at++)
      statuses.push((await ask("/v1/tests", { token: wrong })).status);
    expect(statuses).toContain(429);
    expect(
      (await ask("/v1/validate-token", { token: mallory })).status,
      "who has a right one",
    ).toBe(200);
  });
});

describe("text that is code elsewhere", () => {
  const texts = [
    "'; drop table runs; --",
    '" or 1=1 --',
    "%' or '1'='1",
    "$1; select pg_sleep(9)",
    "\u0000nul",
    "a\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "\u202e\ud800",
  ];

  it("is text in names, notes, tags and searches", async () => {
    for (const text of texts) {
      const body = { test: text, note: text, tags: { [text]: text }, generator: text };
      const answer = await ask("/api/v1/runs", { token: mallory, body });
      expect(answer.status, answer.text).toBe(201);
      const { run } = JSON.parse(answer.text) as { run: RunView };
      const found = await server.ask(
        "GET",
        `/runs?${new URLSearchParams({ test: text, search: text }).toString()}`,
      );
      const { runs } = (await found.json()) as { runs: RunView[] };
      // What no text of a database may hold is held by a sign for it.
      const stored = text.replace("\u0000", "\ufffd").replace("\ud800", "\ufffd");
      expect(runs.map(({ id, note }) => ({ id, note }))).toEqual([{ id: run.id, note: stored }]);
      const archive = await fetch(`${server.url}/api/v1/runs/${run.id}/archive`, {
        headers: { Authorization: `Bearer ${server.adminToken}` },
      });
      expect(archive.headers.get("set-cookie")).toBeNull();
    }
  });

  it("is no place in a path, and no cursor", async () => {
    const token = server.adminToken;
    for (const text of [...texts, "1 or 1=1", "1e3", "0x1", "-1", "99999999999"]) {
      const name = encodeURIComponent(text.replace("\ud800", ""));
      for (const [words, path] of [
        ["own", `/api/v1/runs/${name}x`],
        ["own", `/api/v1/runs?after=${name}`],
        ["v6", `/cloud/v6/test_runs/${name}`],
        ["legacy", `/v1/test-progress/${name}`],
      ] as const) {
        expectRefusal(words, await ask(path, { method: "GET", token }), 400, 404, 405);
      }
    }
  });

  it("is no header: neither by a generator's name, nor by a request within a request", async () => {
    const name = "%0d%0aSet-Cookie:%20a=b";
    const started = await start(mallory, victim.testId, {}, `/agents/${name}`);
    expect(started.archive_upload_url).toContain(
      `/agents/${encodeURIComponent(decodeURIComponent(name))}/upload/`,
    );
    const smuggled = [
      "POST /v1/tests HTTP/1.1",
      "Host: a",
      "Content-Length: 5",
      "Transfer-Encoding: chunked",
      "",
      "0",
      "",
      "GET /-/healthy HTTP/1.1",
      "Host: a",
      "",
      "",
    ].join("\r\n");
    expect(await sendRaw(server.url, smuggled)).toMatch(
      /^HTTP\/1\.1 400 (?:(?!HTTP\/1\.1 200)[^])*$/,
    );
    expect(
      await sendRaw(server.url, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"h".repeat(100_000)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it("is in no log line but as JSON, and no secret is in any", async () => {
    const lines = server.process.stdout.split("\n").filter((line) => line !== "");
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(() => JSON.parse(line) as unknown, line).not.toThrow();
    const all =
      server.process.stdout +
      server.process.stderr.replace(server.adminToken, "").replace(server.adminToken, "");
    expect(all).not.toMatch(/pl[mr]_[\w-]{43}|token=/);
  });
});

describe("one run", () => {
  it("has up to 1 000 generators and 1 000 metrics, and goes on beyond", async () => {
    const run = await ownRun();
    const send = async (instance: string, body: Buffer) =>
      await ask(`/agents/${instance}/v2/metrics/${run.test_run_id}`, {
        ...push(body),
        token: mallory,
      });
    const many = encodeMetricSet(
      Array.from({ length: 999 }, (_, at) => ({ name: `m${at}`, type: "counter", series: [] })),
    );
    expect((await send("g", many)).status).toBe(204);
    expect((await send("g", samples({}))).status).toBe(204);
    expectRefusal("legacy", await send("g", samples({}, "one_more")), 400);
    expectRefusal("legacy", await send("g", samples({}, "x".repeat(130))), 400);
    expectRefusal("legacy", await send("g".repeat(101), samples({})), 400);
    for (let at = 1; at < 1_000; at++) await send(`g${at}`, samples({}));
    expectRefusal("legacy", await send("one_more", samples({})), 400);
    expect((await send("g1", samples({ a: "b" }))).status).toBe(204);
    const { text } = await ask("/metrics", { method: "GET", token: server.adminToken });
    expect(text).toMatch(
      /^plimsoll_http_requests_refused_total\{reason="too_many_generators"\} 1$/m,
    );
    expect(text).toMatch(/^plimsoll_http_requests_refused_total\{reason="too_many_metrics"\} 1$/m);
    expect(server.process.stderr).toContain("names of generators; pushes of others are refused");
  });

  it("has no more options, thresholds and tags than anybody reads", async () => {
    const thresholds = { http_reqs: Array.from({ length: 1_001 }, (_, at) => `count>${at}`) };
    const tags = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`t${at}`, "x"]));
    const path = `/provisioning/v1/load_tests/${victim.testId}/start_local_execution`;
    const from = async (options: object) =>
      await ask(path, { token: mallory, body: { options, max_vus: 1, total_duration: 1 } });
    expectRefusal("text", await from({ thresholds }), 400);
    expectRefusal("text", await from({ tags }), 413);
    expectRefusal("text", await from({ hosts: "x".repeat(300_000) }), 413);
    const deep = `{"options":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)},"max_vus":1,"total_duration":1}`;
    expectRefusal("text", await ask(path, { ...asJson(deep), token: mallory }), 400);
    expectRefusal(
      "own",
      await ask("/api/v1/runs", { token: mallory, body: { test: "a", thresholds } }),
      400,
    );
    expectRefusal(
      "own",
      await ask("/api/v1/runs", { token: mallory, body: { test: "a", tags } }),
      400,
    );
  });
});

it("takes 500 of 10 000 runs that one token wants at once, says when again, and others' as ever", async () => {
  const token = await issue("greedy");
  const wanted = (path: string, body: string, end = ""): string =>
    [
      `POST ${path} HTTP/1.1`,
      "Host: a",
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      `${end}\r\n${body}`,
    ].join("\r\n");
  const ways = [
    ["/v1/tests", '{"name":"flood","vus":1,"duration":1}'],
    ["/api/v1/runs", '{"test":"flood"}'],
  ] as const;
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) => {
      const [path, body] = ways[at % 2]!;
      const end = wanted(path, body, "Connection: close\r\n");
      return sendRaw(server.url, wanted(path, body).repeat(999) + end);
    }),
  );
  const all = answers.join("");
  const count = (pattern: RegExp): number => [...all.matchAll(pattern)].length;
  const taken = count(/HTTP\/1\.1 20[01] /g);
  const refused = count(/HTTP\/1\.1 429 /g);
  expect(taken + refused).toBe(10_000);
  expect(taken).toBeGreaterThanOrEqual(500);
  // Those that are under way at a time.
  expect(taken).toBeLessThanOrEqual(510);
  expect(count(/^retry-after: [1-9]\d*\r$/gim)).toBe(refused);
  expect(count(/"message":"this token has 500 runs that go on: /g)).toBe(refused);
  const listed = await server.ask("GET", "/runs?test=flood&limit=50");
  expect(await listed.json()).toMatchObject({ total: taken });
  const beside = { name: "beside", vus: 1, duration: 1 };
  expect((await ask("/v1/tests", { token: victim.token, body: beside })).status).toBe(200);
});

describe("at the end of all that", () => {
  it("clients that never finish their headers have been cut off", async () => {
    expect(new Set(await slow)).toEqual(new Set([""]));
  });

  it("the victim's run goes on to its end, with its own samples and no other", async () => {
    await pushOfVictim("b");
    const { runId, runToken } = victim;
    const body = { event_type: "script_execution_completed", error: null };
    expect(
      (await ask(`/provisioning/v1/test_runs/${runId}/notify`, { token: runToken, body })).status,
    ).toBe(204);
    const run = await server.run(runId);
    expect(run).toMatchObject({ state: "finished", note: secret });
    expect(run.summary).toContainEqual({ metric: "http_reqs", stat: "count", value: 2 });
    before = await stateOfVictim();
    const archives = await filesBelow("archives");
    const archive = archives.find((path) => path.includes(`/${runId}-`)) ?? "";
    expect(await readFile(join(server.folder, archive), "latin1")).toContain(secret);
  });
});
