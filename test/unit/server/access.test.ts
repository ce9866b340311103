import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken, hashToken, issueFirstToken } from "../../../src/server/tokens.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";

describe("who may what", () => {
  const clock = new FakeClock();
  let host: ServerHost;
  let ownRun: string;
  let otherRun: string;
  let runId: number;
  beforeAll(async () => {
    host = await startServerHost({ clock });
    const start = async (startedBy: string) =>
      await host.service.start({
        projectId: 1,
        test: "checkout",
        source: "api",
        generator: "k6",
        startedBy,
        options: {},
        thresholds: [],
        maxVus: undefined,
        expectedSeconds: undefined,
        tags: {},
        note: "",
        idempotencyKey: "",
      });
    const { run, token } = await start("somebody else");
    runId = run.id;
    ownRun = token;
    otherRun = (await start("somebody else")).token;
  });
  afterAll(() => host[Symbol.asyncDispose]());

  // none: no token; own, other: the token of this run and of another one.
  type Who = "none" | "wrong" | "other" | "own" | "push" | "read" | "admin";
  const everybody = [200, 200, 200, 200, 200, 200, 200];
  it.each<[method: "GET" | "POST" | "PATCH" | "DELETE", path: string, statuses: number[]]>([
    // none, wrong, other, own, push, read, admin
    ["GET", "/-/healthy", everybody],
    ["GET", "/-/ready", everybody],
    ["GET", "/api/v1/openapi.json", everybody],
    ["GET", "/metrics", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID", [401, 401, 403, 200, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID/logs", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID/log-lines", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID/script", [401, 401, 403, 403, 403, 404, 404]],
    ["GET", "/api/v1/runs/ID/script/file?path=/a", [401, 401, 403, 403, 403, 404, 404]],
    ["GET", "/api/v1/tests", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/tags", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID/export", [401, 401, 403, 403, 403, 200, 200]],
    ["GET", "/api/v1/runs/ID/archive", [401, 401, 403, 403, 403, 404, 404]],
    ["GET", "/api/v1/runs/ID/shares", [401, 401, 403, 403, 403, 200, 200]],
    ["POST", "/api/v1/runs/ID/shares", [401, 401, 403, 403, 403, 400, 400]],
    ["DELETE", "/api/v1/runs/ID/shares/99", [401, 401, 403, 403, 403, 404, 404]],
    ["GET", "/api/v1/session", [200, 401, 200, 200, 200, 200, 200]],
    ["PATCH", "/api/v1/runs/ID", [401, 401, 403, 403, 403, 400, 400]],
    ["POST", "/api/v1/runs", [401, 401, 403, 403, 400, 400, 400]],
    ["POST", "/api/v1/runs/ID/stop", [401, 401, 403, 202, 403, 202, 202]],
    ["DELETE", "/api/v1/runs/ID", [401, 401, 403, 403, 403, 403, 409]],
    ["GET", "/api/v1/tokens", [401, 401, 403, 403, 403, 403, 200]],
    ["POST", "/api/v1/tokens", [401, 401, 403, 403, 403, 403, 400]],
    ["DELETE", "/api/v1/tokens/99", [401, 401, 403, 403, 403, 403, 404]],
    ["POST", "/ingest/ID/metrics", [401, 401, 403, 415, 415, 415, 415]],
    ["POST", "/api/v1/runs/ID/end", [401, 401, 403, 200, 403, 200, 200]],
  ])("%s %s", async (method, path, statuses) => {
    const tokens: Record<Who, string> = {
      none: "",
      wrong: createToken("plr"),
      other: otherRun,
      own: ownRun,
      ...host.tokens,
    };
    // Of wrong tokens there are many here.
    clock.advance(60_000);
    const answered = [];
    for (const token of Object.values(tokens)) {
      const url = path.replace("ID", String(runId));
      // Who may is refused for the body, which is nobody's: the run stays as it is.
      const hasBody = /runs$|tokens$|metrics$|shares$/.test(path) || method === "PATCH";
      const nonsense = method !== "GET" && hasBody ? { nonsense: 1 } : undefined;
      const body = path.endsWith("/end") ? {} : nonsense;
      const response = await host.ask(token, method, url, body);
      answered.push(response.statusCode);
      if (response.statusCode >= 400 && !path.startsWith("/ingest")) {
        expect(response.json()).toHaveProperty("error.message");
      }
    }
    expect(answered).toEqual(statuses);
  });

  it("writes no token, no header and no query into its log", async () => {
    const secret = createToken("plm");
    await host.ask(secret, "GET", `/api/v1/runs?search=${secret}`);
    await host.ask(secret, "GET", `/nowhere?token=${secret}`);
    await host.ask(secret, "PUT", `/upload/1?token=${secret}`);
    expect(host.log.join("")).toContain("/api/v1/runs");
    for (const token of [secret, ...Object.values(host.tokens), ownRun]) {
      expect(host.log.join("")).not.toContain(token.slice(0, 10));
    }
  });
});

describe("tokens", () => {
  it("has 256 random bits and a form that says what it is", () => {
    const tokens = Array.from({ length: 100 }, () => createToken("plm"));
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^plm_[\w-]{43}$/);
    expect(hashToken(tokens[0]!)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is made once by a store's first start, and never again", async () => {
    await using host = await startServerHost();
    expect(await issueFirstToken(host.repository, 1)).toBeUndefined();
    for (const { id } of await host.repository.tokens()) await host.repository.revokeToken(id, 2);
    // Who has revoked all has a reason.
    expect(await issueFirstToken(host.repository, 3)).toBeUndefined();
  });

  it("is worthless five seconds after it was revoked", async () => {
    const clock = new FakeClock();
    await using host = await startServerHost({ clock });
    const made = await host.ask(host.tokens.admin, "POST", "/api/v1/tokens", {
      name: "ci",
      role: "read",
    });
    const { token, record } = made.json<{ token: string; record: { id: number } }>();
    const status = async () => (await host.ask(token, "GET", "/api/v1/runs")).statusCode;
    expect(await status()).toBe(200);
    await host.ask(host.tokens.admin, "DELETE", `/api/v1/tokens/${record.id}`);
    clock.advance(5_000);
    expect(await status()).toBe(401);
  });
});

describe("limits", () => {
  it("answers no more wrong tokens of an address that had twenty, until a minute is over, and right ones as ever", async () => {
    const clock = new FakeClock();
    await using host = await startServerHost({ clock });
    const status = async (token: string) =>
      (await host.ask(token, "GET", "/api/v1/runs")).statusCode;
    expect(await status(host.tokens.read)).toBe(200);
    for (let failure = 0; failure < 20; failure++) {
      expect(await status(createToken("plm"))).toBe(401);
    }
    expect(await status(createToken("plm"))).toBe(429);
    expect(await status(host.tokens.admin), "never seen before").toBe(200);
    expect(await status(host.tokens.read), "seen before").toBe(200);
    expect((await host.app.inject("/-/healthy")).statusCode).toBe(200);
    clock.advance(60_000);
    expect(await status(createToken("plm"))).toBe(401);
  });

  it("refuses more requests than a minute may have: what is pushed with a status that k6 tries again", async () => {
    await using host = await startServerHost({ limits: { perMinute: 2 } });
    const statuses = [];
    for (const url of ["/v1/tests", "/nowhere", "/v1/tests", "/ingest/1/metrics"]) {
      statuses.push((await host.app.inject({ url, method: "POST" })).statusCode);
    }
    expect(statuses).toEqual([401, 404, 429, 503]);
    const push = await host.app.inject({ url: "/agents/a/v2/metrics/1", method: "POST" });
    expect(push.statusCode).toBe(503);
  });

  it("tells the clients of a proxy apart by what the proxy says, and believes nobody else", async () => {
    const clock = new FakeClock();
    const client = async (host: ServerHost, proxy: string, forwarded: string) => {
      const { statusCode } = await host.app.inject({
        url: "/api/v1/runs",
        remoteAddress: proxy,
        headers: { "x-forwarded-for": forwarded, authorization: `Bearer ${createToken("plm")}` },
      });
      return statusCode;
    };
    await using host = await startServerHost({ clock, trustedProxies: ["10.0.0.0/8", "::1"] });
    for (let failure = 0; failure < 20; failure++) await client(host, "10.1.2.3", "203.0.113.1");
    expect(await client(host, "10.1.2.3", "203.0.113.1")).toBe(429);
    expect(await client(host, "::1", "203.0.113.1")).toBe(429);
    expect(await client(host, "10.1.2.3", "203.0.113.2")).toBe(401);
    // What a client writes itself stands before what the proxy adds.
    expect(await client(host, "10.1.2.3", "198.51.100.7, 203.0.113.1")).toBe(429);
    // Neither a proxy, nor can it be one by saying so.
    for (let failure = 0; failure < 20; failure++) {
      expect(await client(host, "192.0.2.1", `203.0.113.${failure}`)).toBe(401);
    }
    expect(await client(host, "192.0.2.1", "203.0.113.99")).toBe(429);
    expect(await client(host, "10.1.2.3", "no address at all")).toBe(401);
    expect(host.log.join("")).toContain('"remoteAddress":"203.0.113.1"');
  });

  it("refuses more requests than there may be at a time, and takes others afterwards", async () => {
    await using host = await startServerHost({ limits: { atOnce: 2 } });
    const ask = () => host.ask(host.tokens.read, "GET", "/api/v1/runs");
    const answers = await Promise.all([ask(), ask(), ask(), ask()]);
    expect(answers.map(({ statusCode }) => statusCode).sort((a, b) => a - b)).toEqual([
      200, 200, 503, 503,
    ]);
    expect((await ask()).statusCode).toBe(200);
  });

  it("answers what is too large, no JSON or of no known kind with the status for it", async () => {
    await using host = await startServerHost();
    const post = async (payload: string, contentType = "application/json") => {
      const headers = {
        authorization: `Bearer ${host.tokens.push}`,
        "content-type": contentType,
      };
      const response = await host.app.inject({
        method: "POST",
        url: "/api/v1/runs",
        headers,
        payload,
      });
      const { error } = response.json<{ error: { code: string } }>();
      return [response.statusCode, error.code];
    };
    expect(await post(JSON.stringify({ test: "x".repeat(2 ** 20) }))).toEqual([
      413,
      "body_too_large",
    ]);
    expect(await post("{")).toEqual([400, "invalid_json"]);
    expect(await post("a=b", "application/x-www-form-urlencoded")).toEqual([
      415,
      "unsupported_media_type",
    ]);
  });
});
