import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { basicAuth, tokenAuth } from "../../../src/send/auth/secret-auth.ts";
import {
  RemoteWriteClient,
  type RemoteWriteClientOptions,
} from "../../../src/send/remote-write-client.ts";
import { fixedText } from "../../../src/send/text-source.ts";
import { encodeWriteRequest } from "../../support/encode-write-request.ts";
import { startReceiverServer, type ScriptedAnswer } from "../../support/receiver-server.ts";

const batch = encodeWriteRequest({ protocol: "1", timestampMs: 1_700_000_000_000, float: 1 });

const createClient = (url: string, options: Partial<RemoteWriteClientOptions> = {}) =>
  new RemoteWriteClient({ userAgent: "plimsoll/1.2.3", clock: systemClock, url, ...options });

describe("the request", () => {
  it("counts its retries for the receiver", async () => {
    await using server = await startReceiverServer();
    await using client = createClient(server.url);
    for (const attempt of [0, 1, 12]) await client.send(batch, attempt);
    const attempts = server.requests.map(({ headers }) => headers["retry-attempt"]);
    expect(attempts).toEqual([undefined, "1", "12"]);
  });

  it("uses one connection for all requests, whatever is answered", async () => {
    const body = "x".repeat(100_000);
    await using server = await startReceiverServer({
      answers: [
        { status: 400, body },
        { status: 503, body },
        { status: 204 },
        { status: 200, body },
      ],
    });
    await using client = createClient(server.url);
    for (let attempt = 0; attempt < 5; attempt++) await client.send(batch, 0);
    expect(server.requests).toHaveLength(5);
    expect(server.connections).toBe(1);
  });

  it("sends the user's headers and the URL's query string", async () => {
    await using server = await startReceiverServer();
    const headers = { "X-Scope-OrgID": "team-a" };
    await using client = createClient(`${server.url}?tenant=1&token=secret`, { headers });
    await client.send(batch, 0);
    expect(server.requests[0]?.headers["x-scope-orgid"]).toBe("team-a");
    expect(server.requests[0]?.path).toBe("/api/v1/write?tenant=1&token=secret");
    expect(client.displayUrl).toBe(server.url);
  });
});

describe("the answer", () => {
  it("keeps 1024 bytes of the body, and no half character", async () => {
    const body = `${"x".repeat(1023)}ä and more`;
    await using server = await startReceiverServer({ answers: [{ status: 400, body }] });
    await using client = createClient(server.url);
    expect(await client.send(batch, 0)).toMatchObject({ text: `HTTP 400: ${"x".repeat(1023)}` });
  });

  it("keeps an end that looks like the beginning of a secret, where nothing was cut", async () => {
    await using server = await startReceiverServer({ answers: [{ status: 400, body: "no path" }] });
    await using client = createClient(server.url, { secrets: ["hunter2"] });
    expect(await client.send(batch, 0)).toMatchObject({ text: "HTTP 400: no path" });
  });

  it("shows no credentials, even where the receiver does", async () => {
    const encoded = Buffer.from("ann:hunter2").toString("base64");
    const body = `no access for ann with hunter2 (Basic ${encoded}, X-Key k3y)`;
    await using server = await startReceiverServer({ answers: [{ status: 403, body }] });
    const auth = basicAuth("ann", fixedText("hunter2"));
    await using client = createClient(server.url, { auth, secrets: ["k3y"] });
    expect(await client.send(batch, 0)).toMatchObject({
      text: "HTTP 403: no access for ann with *** (Basic ***, X-Key ***)",
    });
  });
});

describe("a long token", () => {
  const token = Array.from({ length: 400 }, (_, n) => `part${n}.`).join("");
  const answered = async (body: string) => {
    await using server = await startReceiverServer({ answers: [{ status: 400, body }] });
    const auth = tokenAuth("Bearer", fixedText(token));
    await using client = createClient(server.url, { auth });
    const outcome = await client.send(batch, 0);
    return outcome.kind === "rejected" ? outcome.text : undefined;
  };

  it.each([
    ["at the beginning", `no: ${token} ${"x".repeat(4_000)}`, `no: *** ${"x".repeat(1_000)}`],
    ["across the end of what is kept", `${"x".repeat(1_000)} ${token}`, `${"x".repeat(1_000)} ***`],
    ["twice", `${token} ${token} ${token}`, "***"],
    ["many times", `${token} `.repeat(30), "***"],
  ])("is not shown in part either: %s", async (_, body, beginning) => {
    const text = (await answered(body)) ?? "";
    expect(text).toContain(`HTTP 400: ${beginning.slice(0, 900)}`);
    expect(text).toContain("***");
    expect(text).not.toContain("part");
  });
});

describe("a question to the same store", () => {
  it("is asked with the credentials of the receiver, and of nobody else", async () => {
    const authorizations: (string | undefined)[] = [];
    const server = createHttpServer(({ headers }, response) => {
      authorizations.push(headers.authorization);
      response.end('{"status":"success"}');
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    // A TCP server that listens has an address of this kind.
    const { port } = server.address() as AddressInfo;
    const auth = basicAuth("user", fixedText("secret"));
    await using client = createClient(`http://127.0.0.1:${port}/api/v1/write`, { auth });
    const url = new URL(`http://127.0.0.1:${port}/api/v1/query`);
    expect(await client.getJson(url, 2_000)).toEqual({ status: "success" });
    expect(authorizations).toEqual([`Basic ${Buffer.from("user:secret").toString("base64")}`]);
    await expect(client.getJson(new URL("http://127.0.0.1:1/"), 2_000)).rejects.toThrow(
      "is not the receiver's",
    );
    server.closeAllConnections();
    server.close();
    expect(await client.getJson(url, 2_000)).toBeUndefined();
  });
});

describe("redirects", () => {
  const redirectTo = (location: string): ScriptedAnswer => ({
    status: 308,
    headers: { Location: location },
  });

  it("follows 307 and 308 within the receiver, with method, body and credentials", async () => {
    await using server = await startReceiverServer({ answers: [redirectTo("/other/write?a=1")] });
    await using client = createClient(server.url, { auth: tokenAuth("Bearer", fixedText("tok")) });
    expect((await client.send(batch, 0)).kind).toBe("sent");
    const [first, second] = server.requests;
    expect(second).toMatchObject({ method: "POST", path: "/other/write?a=1", body: first?.body });
    expect(second?.headers.authorization).toBe("Bearer tok");
  });

  it("does not go to another origin, and says where the receiver points", async () => {
    await using other = await startReceiverServer();
    await using server = await startReceiverServer({ answers: [redirectTo(other.url)] });
    await using client = createClient(server.url, { auth: tokenAuth("Bearer", fixedText("tok")) });
    expect(await client.send(batch, 0)).toMatchObject({
      kind: "held",
      reason: "http_308",
      text: expect.stringContaining(`a redirect to "${other.url}"`),
    });
    expect(other.requests).toEqual([]);
  });

  it("ends a redirect in a circle", async () => {
    await using server = await startReceiverServer({ defaultAnswer: () => redirectTo("/again") });
    await using client = createClient(server.url);
    expect(await client.send(batch, 0)).toMatchObject({ kind: "held", reason: "http_308" });
    expect(server.requests).toHaveLength(4);
  });
});

describe("the network", () => {
  /** A port on which nothing listens. */
  async function findClosedPort(): Promise<number> {
    await using server = await startReceiverServer();
    return Number(new URL(server.url).port);
  }

  it("says that nothing listens", async () => {
    await using client = createClient(`http://127.0.0.1:${await findClosedPort()}/`);
    expect(await client.send(batch, 0)).toEqual({
      kind: "retry",
      reason: "connection_refused",
      text: "nothing listens there; is the receiver running, and is the port right? (ECONNREFUSED)",
    });
  });

  it("says so for a name with several addresses, too", async () => {
    await using client = createClient(`http://localhost:${await findClosedPort()}/`);
    expect(await client.send(batch, 0)).toMatchObject({ reason: "connection_refused" });
  });

  it("says that a name does not exist", async () => {
    // Reserved for this: RFC 6761, 6.4.
    await using client = createClient("http://prometheus.invalid/api/v1/write");
    expect(await client.send(batch, 0)).toMatchObject({ kind: "retry", reason: "dns" });
  });

  it("says that the connection was reset", async () => {
    await using server = await startReceiverServer({ answers: ["reset"] });
    await using client = createClient(server.url);
    expect(await client.send(batch, 0)).toMatchObject({ reason: "connection_reset" });
    expect((await client.send(batch, 1)).kind).toBe("sent");
  });

  it("gives up after the time-out, and can send again", async () => {
    await using server = await startReceiverServer({ answers: ["hang"] });
    await using client = createClient(server.url, { timeoutMs: 1_000 });
    expect(await client.send(batch, 0)).toEqual({
      kind: "retry",
      reason: "timeout",
      text: "no answer in time; is the receiver overloaded, or does a firewall drop the packets? (1000 ms)",
    });
    expect((await client.send(batch, 1)).kind).toBe("sent");
  });

  it("rejects with the signal's reason when it is aborted, before or during the request", async () => {
    await using server = await startReceiverServer({ answers: ["hang"] });
    await using client = createClient(server.url);
    const reason = new Error("stopped");
    const controller = new AbortController();
    const sending = client.send(batch, 0, controller.signal);
    await server.waitForRequests(1);
    controller.abort(reason);
    await expect(sending).rejects.toBe(reason);
    await expect(client.send(batch, 0, controller.signal)).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it("says that what answers is not HTTP", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {
        // The client hangs up, which is what it should do.
      });
      socket.end("220 mail.test ESMTP\r\n");
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using client = createClient(`http://127.0.0.1:${port}/`);
    expect(await client.send(batch, 0)).toMatchObject({ kind: "retry", reason: "not_http" });
    server.close();
  });
});
