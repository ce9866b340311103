import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CreatedShare, SessionView, ShareView } from "../../../src/server/api/session-view.ts";
import { createToken } from "../../../src/server/tokens.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { parseOpenApi } from "../../support/openapi.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";

const ours = { "sec-fetch-site": "same-origin" };
const name = "__Host-plimsoll_443";

let clock: FakeClock;
let host: ServerHost;
beforeAll(async () => {
  clock = new FakeClock();
  host = await startServerHost({ clock });
});
afterAll(() => host[Symbol.asyncDispose]());
// Of wrong tokens there are many here.
beforeEach(() => clock.advance(60_000));

interface Shared {
  readonly runId: number;
  readonly testid: string;
  readonly share: ShareView;
  readonly token: string;
}

async function startRun(): Promise<{ readonly id: number; readonly testid: string }> {
  const response = await host.ask(host.tokens.push, "POST", "/api/v1/runs", { test: "checkout" });
  return response.json<{ run: { id: number; testid: string } }>().run;
}

async function shareRun(body: object = {}, by: string = host.tokens.read): Promise<Shared> {
  const { id, testid } = await startRun();
  const response = await host.ask(by, "POST", `/api/v1/runs/${id}/shares`, body);
  expect(response.statusCode, response.body).toBe(201);
  const { share, url } = response.json<CreatedShare>();
  const [, token = ""] = /^https:\/\/k6\.test\/runs\/\d+#share=(pls_[\w-]{43})$/.exec(url) ?? [];
  expect(url).toBe(`https://k6.test/runs/${id}#share=${token}`);
  return { runId: id, testid, share, token };
}

async function statusOf(token: string, url: string): Promise<number> {
  return (await host.ask(token, "GET", url)).statusCode;
}

async function issue(
  tokenName: string,
  role: "read" | "admin",
): Promise<{ token: string; id: number }> {
  const made = await host.ask(host.tokens.admin, "POST", "/api/v1/tokens", {
    name: tokenName,
    role,
  });
  const { token, record } = made.json<{ token: string; record: { id: number } }>();
  return { token, id: record.id };
}

describe("a link to a run", () => {
  it("is shown once, kept as a digest, and listed without its text", async () => {
    const { runId, token, share } = await shareRun({ seconds: 3_600 });
    const seconds = (Date.parse(share.expires) - Date.parse(share.created)) / 1_000;
    expect([share.createdBy, seconds]).toEqual(["read token", 3_600]);
    const list = await host.ask(host.tokens.read, "GET", `/api/v1/runs/${runId}/shares`);
    expect(list.json()).toEqual({ shares: [share] });
    expect(JSON.stringify(await host.repository.shares(runId, clock.nowMs()))).not.toContain(
      "pls_",
    );
    expect(list.body + host.log.join("")).not.toContain(token.slice(0, 12));
  });

  it("signs in who has it, for as long as it is good for", async () => {
    const { token, runId, share } = await shareRun({ seconds: 600 });
    clock.advance(100_000);
    const response = await host.app.inject({
      method: "POST",
      url: "/api/v1/session",
      headers: ours,
      payload: { token },
    });
    expect(response.headers["set-cookie"]).toBe(
      `${name}=${token}; Max-Age=500; Path=/; HttpOnly; SameSite=Strict; Secure`,
    );
    expect(response.json<SessionView>().principal).toEqual({
      name: `share ${share.id}`,
      role: "share",
      runId,
      expires: share.expires,
    });
    const cookie = { cookie: `${name}=${token}` };
    const read = await host.app.inject({ url: `/api/v1/runs/${runId}`, headers: cookie });
    expect(read.statusCode).toBe(200);
  });

  /** What whoever has a link may look at, of its run. */
  const open = ["", "/charts", "/tables", "/live", "/script", "/script/file", "/log-lines"];

  it("shows its run and nothing else: every route there is was asked", async () => {
    const { token, runId, testid } = await shareRun();
    const other = await shareRun();
    const openapi = await host.app.inject("/api/v1/openapi.json");
    const { paths } = parseOpenApi(openapi.body);
    const asked = [];
    for (const [path, operations] of Object.entries(paths)) {
      if (path.endsWith("/session")) continue;
      for (const method of Object.keys(operations)) {
        const isOpen = method === "get" && open.some((tail) => path === `/api/v1/runs/{id}${tail}`);
        const verb = method.toUpperCase() as "GET";
        const ask = async (id: string) => {
          const url = path.replace("{id}", id).replace("{share}", String(other.share.id));
          return (await host.ask(token, verb, url, verb === "GET" ? undefined : {})).statusCode;
        };
        for (const id of [String(other.runId), other.testid, "999", "nowhere"]) {
          expect([400, 403], `${verb} ${path} of ${id}`).toContain(await ask(id));
        }
        // A feed has no end of its own.
        if (path.endsWith("/live")) continue;
        for (const id of [String(runId), testid]) {
          const status = await ask(id);
          if (isOpen) expect(status, `${verb} ${path}`).not.toBe(403);
          else expect([400, 403], `${verb} ${path}`).toContain(status);
        }
        asked.push(path);
      }
    }
    expect(asked.length).toBeGreaterThan(12);
    expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(200);
    // Unchanged, and still there.
    expect(await statusOf(host.tokens.read, `/api/v1/runs/${other.runId}`)).toBe(200);
  });

  it("is for people: k6's APIs refuse it, for its own run too", async () => {
    const { token, runId } = await shareRun();
    for (const [method, url] of [
      ["POST", "/v1/validate-token"],
      ["POST", "/v1/tests"],
      ["POST", `/v1/tests/${runId}`],
      ["POST", `/v2/metrics/${runId}`],
      ["GET", "/cloud/v6/projects"],
      ["GET", `/cloud/v6/test_runs/${runId}`],
      ["POST", `/cloud/v6/test_runs/${runId}/abort`],
      ["POST", `/provisioning/v1/test_runs/${runId}/notify`],
      ["POST", `/ingest/${runId}/metrics`],
      ["POST", `/ingest/${runId}/logs`],
      ["GET", "/metrics"],
    ] as const) {
      const { statusCode } = await host.ask(token, method, url, method === "GET" ? undefined : {});
      expect(statusCode, `${method} ${url}`).toBe(403);
    }
    const upload = await host.app.inject({ method: "PUT", url: `/upload/${runId}?token=${token}` });
    expect(upload.statusCode).toBe(401);
  });

  it("ends on the second, also for who looked a moment ago", async () => {
    const { token, runId, share } = await shareRun({ seconds: 60 });
    clock.advance(59_999);
    expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(200);
    clock.advance(1);
    expect(clock.nowMs()).toBe(Date.parse(share.expires));
    const cookie = { cookie: `${name}=${token}` };
    const over = await host.app.inject({ url: `/api/v1/runs/${runId}`, headers: cookie });
    expect([over.statusCode, over.headers["set-cookie"]]).toEqual([
      401,
      `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure`,
    ]);
    const list = await host.ask(host.tokens.read, "GET", `/api/v1/runs/${runId}/shares`);
    expect(list.json()).toEqual({ shares: [] });
  });

  it("ends with the run, whose number is nobody else's", async () => {
    const { token, runId } = await shareRun();
    await host.ask(host.tokens.admin, "POST", `/api/v1/runs/${runId}/end`, {});
    const removed = await host.ask(host.tokens.admin, "DELETE", `/api/v1/runs/${runId}`);
    expect(removed.statusCode).toBe(204);
    clock.advance(5_000);
    expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(401);
    expect((await startRun()).id).not.toBe(runId);
    expect(await host.repository.shares(runId, 0)).toEqual([]);
  });

  it("ends with the last token of whoever made it", async () => {
    const [first, second] = [await issue("alice", "read"), await issue("alice", "read")];
    const { token, runId } = await shareRun({}, first.token);
    const after = async (id: number): Promise<number> => {
      await host.ask(host.tokens.admin, "DELETE", `/api/v1/tokens/${id}`);
      clock.advance(5_000);
      return await statusOf(token, `/api/v1/runs/${runId}`);
    };
    expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(200);
    expect([await after(first.id), await after(second.id)]).toEqual([200, 401]);
  });

  it("is revoked by who made it and by admins, five seconds later at the latest", async () => {
    for (const by of [host.tokens.read, host.tokens.admin]) {
      const { token, runId, share } = await shareRun();
      const url = `/api/v1/runs/${runId}/shares/${share.id}`;
      const bob = (await issue("bob", "read")).token;
      expect((await host.ask(bob, "DELETE", url)).json()).toMatchObject({
        error: { message: expect.stringContaining('made by "read token"') as string },
      });
      expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(200);
      expect((await host.ask(by, "DELETE", url)).statusCode).toBe(204);
      expect((await host.ask(by, "DELETE", url)).statusCode).toBe(404);
      clock.advance(5_000);
      expect(await statusOf(token, `/api/v1/runs/${runId}`)).toBe(401);
    }
  });

  it("is none of another run, whoever names it there", async () => {
    const { share } = await shareRun();
    const other = await shareRun();
    const url = `/api/v1/runs/${other.runId}/shares/${share.id}`;
    expect((await host.ask(host.tokens.admin, "DELETE", url)).statusCode).toBe(404);
  });

  it.each([59, 90 * 86_400 + 1, 60.5, -60, null, "a week", 1e300])(
    "cannot be good for %j seconds",
    async (seconds) => {
      const { id } = await startRun();
      const url = `/api/v1/runs/${id}/shares`;
      expect((await host.ask(host.tokens.read, "POST", url, { seconds })).statusCode).toBe(400);
    },
  );

  it("is good for seven days unless it is said, and for ninety at most", async () => {
    for (const [body, days] of [
      [{}, 7],
      [{ seconds: 90 * 86_400 }, 90],
    ] as const) {
      const { share } = await shareRun(body);
      expect(Date.parse(share.expires) - Date.parse(share.created)).toBe(days * 86_400_000);
    }
  });

  it("is made by who may read, of a run that is there, a hundred times at most", async () => {
    const { id } = await startRun();
    const url = `/api/v1/runs/${id}/shares`;
    const share = async (token: string, body = {}) =>
      (await host.ask(token, "POST", url, body)).statusCode;
    expect([await share(host.tokens.push), await share(createToken("pls"))]).toEqual([403, 401]);
    const nowhere = await host.ask(host.tokens.read, "POST", "/api/v1/runs/999/shares", {});
    expect(nowhere.statusCode).toBe(404);
    for (let at = 0; at < 99; at++) {
      const nowMs = clock.nowMs();
      const times = { createdMs: nowMs, expiresMs: nowMs + 60_000 };
      await host.repository.createShare({ runId: id, createdBy: "a", hash: `${at}`, ...times });
    }
    expect([await share(host.tokens.read), await share(host.tokens.read)]).toEqual([201, 400]);
    // What is over makes room.
    clock.advance(60_000);
    expect(await share(host.tokens.read)).toBe(201);
  });
});
