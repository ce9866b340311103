import { expect, it, vi } from "vitest";
import type { FeedLimits } from "../../../src/server/live-feed/live-feeds.ts";
import type { RequestLimits } from "../../../src/server/limits.ts";
import { eventsOf, openLiveStream } from "../../support/live-stream.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";

interface Listening extends AsyncDisposable {
  readonly host: ServerHost;
  readonly url: string;
  /** Makes a run. @returns where it is seen live */
  create(): Promise<{ readonly id: number; readonly live: string }>;
}

/** Its store is away. */
async function listen(limits: Partial<FeedLimits & RequestLimits> = {}): Promise<Listening> {
  const host = await startServerHost({ limits });
  const url = await host.app.listen({ port: 0, host: "127.0.0.1" });
  return {
    host,
    url,
    async create() {
      const created = await host.ask(host.tokens.push, "POST", "/api/v1/runs", { test: "live" });
      const { id } = created.json<{ run: { id: number } }>().run;
      return { id, live: `${url}/api/v1/runs/${id}/live` };
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

it("says at once what a run is, that its store is away, and when it has changed", async () => {
  await using server = await listen();
  const { id, live } = await server.create();
  await using stream = openLiveStream(live, server.host.tokens.read);
  await vi.waitFor(() => expect(eventsOf(stream, "store")).toHaveLength(1));
  expect(eventsOf(stream, "store")[0]?.data?.message).toContain("store.test");
  expect(eventsOf(stream, "run")).toHaveLength(1);
  await server.host.ask(server.host.tokens.read, "PATCH", `/api/v1/runs/${id}`, { note: "look" });
  await vi.waitFor(() => expect(eventsOf(stream, "run").at(-1)?.data.note).toBe("look"), 3_000);
});

it("lets those look who may follow the run", async () => {
  await using server = await listen();
  const { id, live } = await server.create();
  const { tokens } = server.host;
  const shared = await server.host.ask(tokens.read, "POST", `/api/v1/runs/${id}/shares`, {
    seconds: 60,
  });
  const [, share = ""] = /#share=(.*)$/.exec(shared.json<{ url: string }>().url) ?? [];
  const another = await server.create();
  const statusOf = async (url: string, token: string): Promise<number> => {
    await using stream = openLiveStream(url, token);
    await vi.waitFor(() => expect(stream.answers).not.toEqual([]));
    return stream.answers[0] ?? NaN;
  };
  expect(await statusOf(live, tokens.push)).toBe(200);
  expect(await statusOf(live, share)).toBe(200);
  expect(await statusOf(another.live, share)).toBe(403);
  expect(await statusOf(live, "plm_wrong")).toBe(401);
  expect(await statusOf(`${server.url}/api/v1/runs/4711/live`, tokens.read)).toBe(404);
  expect(await statusOf(`${live}?after=x`, tokens.read)).toBe(400);
});

it("has room for so many streams, which are no requests under way", async () => {
  await using server = await listen({ streams: 2, atOnce: 1 });
  const { live } = await server.create();
  const { read } = server.host.tokens;
  {
    await using first = openLiveStream(live, read);
    await vi.waitFor(() => expect(eventsOf(first, "run")).toHaveLength(1));
    await using second = openLiveStream(live, read);
    await vi.waitFor(() => expect(eventsOf(second, "run")).toHaveLength(1));
    const third = await fetch(live, { headers: { Authorization: `Bearer ${read}` } });
    expect(third.status).toBe(503);
    await third.body?.cancel();
    expect(third.headers.get("Retry-After")).toBe("10");
    const { body: metrics } = await server.host.ask(read, "GET", "/metrics");
    expect(metrics).toMatch(/^plimsoll_server_live_streams 2$/m);
    expect(metrics).toMatch(/^plimsoll_server_live_runs 1$/m);
    expect(metrics).toMatch(/refused_total\{reason="streams"\} 1$/m);
  }
  await vi.waitFor(async () => {
    const { body: metrics } = await server.host.ask(read, "GET", "/metrics");
    expect(metrics).toMatch(/^plimsoll_server_live_streams 0$/m);
    expect(metrics).toMatch(/^plimsoll_server_live_runs 0$/m);
  });
});

it("ends its streams with the server, and with the run's record", async () => {
  await using server = await listen();
  const { admin } = server.host.tokens;
  const { id, live } = await server.create();
  await using stream = openLiveStream(live, admin);
  await vi.waitFor(() => expect(eventsOf(stream, "run")).toHaveLength(1));
  await server.host.ask(admin, "POST", `/api/v1/runs/${id}/end`, {});
  await server.host.ask(admin, "DELETE", `/api/v1/runs/${id}`);
  await stream.closed;
  expect(stream.answers).toEqual([200, 404]);
  const another = await server.create();
  await using last = openLiveStream(another.live, admin);
  await vi.waitFor(() => expect(eventsOf(last, "run")).toHaveLength(1));
  await server.host.app.close();
  await vi.waitFor(() => expect(last.answers.slice(0, 2)).toEqual([200, 0]));
});
