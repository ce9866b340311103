import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SessionView } from "../../../src/server/api/session-view.ts";
import { SessionCookie } from "../../../src/server/session/session-cookie.ts";
import { createToken } from "../../../src/server/tokens.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";

const ours = { "sec-fetch-site": "same-origin" };
const name = "__Host-plimsoll_443";

type Method = "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
type Headers = Readonly<Record<string, string>>;

let clock: FakeClock;
let host: ServerHost;
beforeAll(async () => {
  clock = new FakeClock();
  host = await startServerHost({ clock });
});
afterAll(() => host[Symbol.asyncDispose]());
// Of wrong tokens there are many here.
beforeEach(() => clock.advance(60_000));

async function ask(
  method: Method,
  url: string,
  headers: Headers,
  payload?: object,
): Promise<LightMyRequestResponse> {
  return await host.app.inject({ method, url, headers, ...(payload && { payload }) });
}

async function signIn(token: string, headers: Headers = ours): Promise<LightMyRequestResponse> {
  return await ask("POST", "/api/v1/session", headers, { token });
}

const cookieOf = (token: string): Headers => ({ cookie: `${name}=${token}` });
const setCookieOf = ({ headers }: LightMyRequestResponse): string =>
  String(headers["set-cookie"] ?? "");
const principalIn = (response: LightMyRequestResponse): SessionView["principal"] =>
  response.json<SessionView>().principal;

describe("signing in", () => {
  it("keeps the token in a cookie that no script and no other site gets, and says who it is", async () => {
    const response = await signIn(host.tokens.read);
    expect(response.statusCode).toBe(200);
    expect(setCookieOf(response)).toBe(
      `${name}=${host.tokens.read}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict; Secure`,
    );
    expect(response.json()).toEqual({
      principal: { name: "read token", role: "read", runId: null, expires: null },
      now: new Date(clock.nowMs()).toISOString(),
      version: expect.any(String) as string,
      grafanaUrl: null,
    });
    // The token is in the cookie alone.
    expect(response.body).not.toContain(host.tokens.read);
  });

  it("lets the cookie do what the token may, and no more", async () => {
    const cookie = cookieOf(host.tokens.read);
    expect((await ask("GET", "/api/v1/runs", cookie)).statusCode).toBe(200);
    expect((await ask("HEAD", "/api/v1/runs", cookie)).statusCode).toBe(200);
    expect((await ask("GET", "/api/v1/tokens", cookie)).statusCode).toBe(403);
    expect(principalIn(await ask("GET", "/api/v1/session", cookie))?.name).toBe("read token");
  });

  it("gives way to a token in the header, right or wrong", async () => {
    const cookie = cookieOf(host.tokens.admin);
    const bearer = (token: string) => ({ ...cookie, authorization: `Bearer ${token}` });
    const as = async (token: string) =>
      (await ask("GET", "/api/v1/tokens", bearer(token))).statusCode;
    expect([await as(host.tokens.read), await as(createToken("plm"))]).toEqual([403, 401]);
    const wrong = await ask("GET", "/api/v1/session", bearer(createToken("plm")));
    expect([wrong.statusCode, setCookieOf(wrong)]).toEqual([401, ""]);
    // A proxy's own password is none of our tokens.
    const basic = { ...cookie, authorization: "Basic dXNlcjpwYXNz" };
    expect((await ask("GET", "/api/v1/tokens", basic)).statusCode).toBe(200);
  });

  it("is no fixation: who was signed in is replaced, and a wrong token leaves who is", async () => {
    const before = { ...ours, ...cookieOf(host.tokens.push) };
    expect(setCookieOf(await signIn(host.tokens.admin, before))).toContain(host.tokens.admin);
    const wrong = await signIn(createToken("plm"), before);
    expect([wrong.statusCode, setCookieOf(wrong)]).toEqual([401, ""]);
  });

  it.each([{}, { token: {} }, { token: "" }, { token: "x".repeat(201) }, { token: "a", b: 1 }, []])(
    "is refused with %j in place of a token",
    async (body) => {
      const response = await ask("POST", "/api/v1/session", ours, body);
      expect([response.statusCode, setCookieOf(response)]).toEqual([400, ""]);
    },
  );

  it.each(["plm_\r\nSet-Cookie: a=b", "plm_;Domain=test", "x".repeat(47)])(
    "puts nothing that was made up into a header: %j",
    async (token) => {
      const response = await signIn(token);
      expect([response.statusCode, setCookieOf(response)]).toEqual([401, ""]);
    },
  );

  it("is refused with more than a body may have", async () => {
    const response = await signIn("x".repeat(2 ** 20));
    expect([response.statusCode, setCookieOf(response)]).toEqual([413, ""]);
  });

  it("takes no form and no text, which any page may send", async () => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
      const response = await host.app.inject({
        method: "POST",
        url: "/api/v1/session",
        headers: { ...ours, "content-type": type },
        payload: JSON.stringify({ token: host.tokens.read }),
      });
      expect([400, 415]).toContain(response.statusCode);
      expect(setCookieOf(response)).toBe("");
    }
  });

  it("writes no token into the log", async () => {
    await signIn(host.tokens.read);
    await signIn(createToken("plm"));
    expect(host.log.join("")).toContain("signed in");
    expect(host.log.join("")).not.toMatch(/pl[mrs]_/);
  });
});

describe("signing out", () => {
  it("removes the cookie, with the attributes that it was set with", async () => {
    const headers = { ...ours, ...cookieOf(host.tokens.read) };
    const response = await ask("DELETE", "/api/v1/session", headers);
    expect(response.statusCode).toBe(204);
    expect(setCookieOf(response)).toBe(
      `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure`,
    );
    // Also of nobody: the page need not know.
    expect((await ask("DELETE", "/api/v1/session", ours)).statusCode).toBe(204);
  });
});

describe("who is not signed in", () => {
  it("is nobody, which is no error, and may do nothing", async () => {
    const response = await ask("GET", "/api/v1/session", {});
    expect([response.statusCode, principalIn(response)]).toEqual([200, null]);
    expect((await ask("GET", "/api/v1/runs", {})).statusCode).toBe(401);
  });

  it("was signed in with a token that is revoked: the cookie goes, wherever it comes", async () => {
    const made = { name: "leaver", role: "read" };
    const answer = await host.ask(host.tokens.admin, "POST", "/api/v1/tokens", made);
    const { token, record } = answer.json<{ token: string; record: { id: number } }>();
    const cookie = cookieOf(token);
    expect((await ask("GET", "/api/v1/runs", cookie)).statusCode).toBe(200);
    await host.ask(host.tokens.admin, "DELETE", `/api/v1/tokens/${record.id}`);
    clock.advance(5_000);
    const refused = await ask("GET", "/api/v1/runs", cookie);
    expect([refused.statusCode, setCookieOf(refused)]).toEqual([
      401,
      `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure`,
    ]);
    const session = await ask("GET", "/api/v1/session", cookie);
    expect([session.statusCode, principalIn(session)]).toEqual([200, null]);
    expect(setCookieOf(session)).toContain("Max-Age=0");
  });

  it("is whoever has two cookies of our name: another program on this host has set one", async () => {
    const { read, admin } = host.tokens;
    const two = { cookie: `${name}=${read}; other=1; ${name}=${admin}` };
    expect((await ask("GET", "/api/v1/runs", two)).statusCode).toBe(401);
  });

  it.each(["plimsoll_443", "__host-plimsoll_443", "x__Host-plimsoll_443", "__Host-plimsoll_444"])(
    "is whoever has a cookie of another name: %s",
    async (other) => {
      const cookie = { cookie: `${other}=${host.tokens.admin}` };
      expect((await ask("GET", "/api/v1/runs", cookie)).statusCode).toBe(401);
    },
  );
});

describe("a cookie that another page's request brings", () => {
  const patch = async (headers: Headers) =>
    await ask("DELETE", "/api/v1/tokens/99", { ...cookieOf(host.tokens.admin), ...headers });

  it.each<[number, Headers]>([
    [404, { "sec-fetch-site": "same-origin" }],
    [404, { origin: "https://k6.test" }],
    // Reached by another of its names: no page chooses the host that it asks, and there the cookie is that host's.
    [404, { origin: "http://other.test:8080", host: "other.test:8080" }],
    [403, {}],
    [403, { "sec-fetch-site": "same-site", origin: "https://k6.test" }],
    [403, { "sec-fetch-site": "cross-site" }],
    [403, { "sec-fetch-site": "none" }],
    [403, { "sec-fetch-site": "same-origin, cross-site" }],
    [403, { origin: "null" }],
    [403, { origin: "" }],
    [403, { origin: "http://k6.test" }],
    [403, { origin: "https://k6.test:8443" }],
    [403, { origin: "https://k6.test.evil.example" }],
    [403, { origin: "https://evil.example", referer: "https://k6.test/" }],
    [403, { origin: "https://evil.example", "x-forwarded-host": "evil.example" }],
    [403, { origin: "https://evil.example", host: "evil.example" }],
  ])("is answered %i where it changes something, with %j", async (status, headers) => {
    const response = await patch(headers);
    expect(response.statusCode).toBe(status);
    if (status === 403) expect(response.json()).toMatchObject({ error: { code: "cross_site" } });
  });

  it.each<[number, Headers]>([
    [200, {}],
    [200, { "sec-fetch-site": "none" }],
    [200, { "sec-fetch-site": "same-origin" }],
    [403, { "sec-fetch-site": "same-site" }],
    [403, { "sec-fetch-site": "cross-site" }],
    [403, { origin: "http://localhost:3000" }],
  ])("is answered %i where it reads, with %j", async (status, headers) => {
    const cookie = cookieOf(host.tokens.read);
    expect((await ask("GET", "/api/v1/runs", { ...cookie, ...headers })).statusCode).toBe(status);
  });

  it.each<Headers>([{}, { "sec-fetch-site": "same-site" }, { origin: "http://localhost:3000" }])(
    "signs nobody in or out, with %j",
    async (headers) => {
      const signedIn = await signIn(host.tokens.read, headers);
      expect([signedIn.statusCode, setCookieOf(signedIn)]).toEqual([403, ""]);
      const signedOut = await ask("DELETE", "/api/v1/session", {
        ...headers,
        ...cookieOf(host.tokens.read),
      });
      expect([signedOut.statusCode, setCookieOf(signedOut)]).toEqual([403, ""]);
    },
  );

  it("is no matter of a token in the header, which no page can add", async () => {
    const headers = {
      authorization: `Bearer ${host.tokens.admin}`,
      "sec-fetch-site": "cross-site",
    };
    expect((await ask("DELETE", "/api/v1/tokens/99", headers)).statusCode).toBe(404);
  });

  it("answers no preflight: other origins get to read nothing", async () => {
    const response = await host.app.inject({
      method: "OPTIONS",
      url: "/api/v1/runs",
      headers: { origin: "https://evil.example", "access-control-request-method": "GET" },
    });
    expect(response.statusCode).toBe(404);
    const read = await ask("GET", "/api/v1/runs", cookieOf(host.tokens.read));
    for (const { headers } of [response, read]) {
      expect(Object.keys(headers).join()).not.toContain("access-control");
    }
  });
});

describe("k6's APIs and the metrics", () => {
  it.each<[Method, string]>([
    ["POST", "/v1/tests"],
    ["POST", "/v2/metrics/1"],
    ["GET", "/cloud/v6/projects"],
    ["POST", "/agents/a/v1/tests"],
    ["POST", "/ingest/1/metrics"],
    ["GET", "/metrics"],
  ])("take no cookie: %s %s", async (method, url) => {
    const headers = { ...ours, ...cookieOf(host.tokens.admin) };
    const response = await ask(method, url, headers, method === "POST" ? {} : undefined);
    expect([response.statusCode, setCookieOf(response)]).toEqual([401, ""]);
  });

  it("are told apart by their routes, however a path is written", async () => {
    const cookie = cookieOf(host.tokens.admin);
    expect((await ask("GET", "/%6detrics?/api/v1/", cookie)).statusCode).toBe(401);
    expect((await ask("GET", "/%61pi/v1/runs", cookie)).statusCode).toBe(200);
    const foreign = { ...cookie, "sec-fetch-site": "same-site" };
    expect((await ask("GET", "/%61pi/v1/runs", foreign)).statusCode).toBe(403);
  });
});

describe("wrong tokens", () => {
  const wrong = (): string => createToken("plm");
  const readers: readonly (readonly [string, () => Promise<LightMyRequestResponse>])[] = [
    ["POST /session", () => signIn(wrong())],
    [
      "GET /session, header",
      () => ask("GET", "/api/v1/session", { authorization: `Bearer ${wrong()}` }),
    ],
    ["GET /session, cookie", () => ask("GET", "/api/v1/session", cookieOf(wrong()))],
    ["GET /runs, cookie", () => ask("GET", "/api/v1/runs", cookieOf(wrong()))],
  ];

  it.each(readers)("count, and no more than twenty are looked at: %s", async (_, guess) => {
    for (let at = 0; at < 20; at++) expect((await guess()).statusCode).not.toBe(429);
    for (const [, next] of readers) {
      const refused = await next();
      expect([refused.statusCode, setCookieOf(refused)]).toEqual([429, ""]);
      expect(refused.headers["retry-after"]).toBe("60");
    }
    // Whoever shares the address, and is right or says nothing, goes on.
    expect((await signIn(host.tokens.read)).statusCode).toBe(200);
    expect((await ask("GET", "/api/v1/runs", cookieOf(host.tokens.read))).statusCode).toBe(200);
    expect((await ask("GET", "/api/v1/session", {})).statusCode).toBe(200);
    expect((await ask("DELETE", "/api/v1/session", ours)).statusCode).toBe(204);
    expect((await ask("GET", "/runs/1", {})).statusCode).toBe(200);
  });
});

describe("the cookie", () => {
  it.each([
    ["https://k6.test", "__Host-plimsoll_443", "Path=/; HttpOnly; SameSite=Strict; Secure"],
    ["https://k6.test:8443", "__Host-plimsoll_8443", "Path=/; HttpOnly; SameSite=Strict; Secure"],
    [
      "https://k6.test/load",
      "__Secure-plimsoll_443",
      "Path=/load/; HttpOnly; SameSite=Strict; Secure",
    ],
    ["http://localhost:6460", "plimsoll_6460", "Path=/; HttpOnly; SameSite=Strict"],
    ["http://k6.test/a/b", "plimsoll_80", "Path=/a/b/; HttpOnly; SameSite=Strict"],
  ])("of %s is %s: as narrow as a browser can be told", (publicUrl, expected, attributes) => {
    const cookie = new SessionCookie(publicUrl);
    expect(cookie.name).toBe(expected);
    expect(cookie.set("t", 9.9)).toBe(`${expected}=t; Max-Age=9; ${attributes}`);
    expect(cookie.clear()).toBe(`${expected}=; Max-Age=0; ${attributes}`);
  });

  it("is found among others, and is none where it is empty", () => {
    const cookie = new SessionCookie("http://localhost:6460");
    expect(cookie.read("a=b; plimsoll_6460=t;c")).toBe("t");
    expect(cookie.read("plimsoll_6460=t")).toBe("t");
    for (const header of [undefined, "", "plimsoll_6460", "plimsoll_6460=", "plimsoll_64600=t"]) {
      expect(cookie.read(header)).toBeUndefined();
    }
  });
});
