import { writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import type { RequestAuth } from "../../../../src/send/auth/request-auth.ts";
import { basicAuth, tokenAuth } from "../../../../src/send/auth/secret-auth.ts";
import { RemoteWriteClient } from "../../../../src/send/remote-write-client.ts";
import { fixedText, openSecretFile } from "../../../../src/send/text-source.ts";
import { Transport } from "../../../../src/send/transport.ts";
import { encodeWriteRequest } from "../../../support/encode-write-request.ts";
import { startReceiverServer } from "../../../support/receiver-server.ts";
import { createTemporaryFolder } from "../../../support/temporary-folder.ts";

const batch = encodeWriteRequest({ protocol: "1", timestampMs: 1_700_000_000_000, float: 1 });

const createClient = (url: string, auth?: RequestAuth) =>
  new RemoteWriteClient({ url, auth, userAgent: "plimsoll/1", clock: systemClock });

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the header Authorization", () => {
  it.each([
    ["a password", basicAuth("ann", fixedText("pä:ß")), `Basic ${base64("ann:pä:ß")}`],
    ["no password", basicAuth("ann", fixedText("")), `Basic ${base64("ann:")}`],
    ["a token", tokenAuth("Bearer", fixedText("tok")), "Bearer tok"],
    ["a token of another scheme", tokenAuth("GenieKey", fixedText("tok")), "GenieKey tok"],
    ["nothing", undefined, undefined],
  ])("is made of %s", async (_, auth, expected) => {
    await using server = await startReceiverServer();
    await using client = createClient(server.url, auth);
    await client.send(batch, 0);
    expect(server.requests[0]?.headers.authorization).toBe(expected);
    expect(client.displayUrl).toBe(server.url);
  });

  it("has the file's secret as it is at each attempt", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "token");
    await writeFile(path, "one\n");
    await using server = await startReceiverServer();
    await using client = createClient(server.url, tokenAuth("Bearer", await openSecretFile(path)));
    await client.send(batch, 0);
    await writeFile(path, "second\n");
    await client.send(batch, 1);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer one",
      "Bearer second",
    ]);
  });
});

describe("refused credentials", () => {
  it("are worth another try only when the file has others than were sent", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "password");
    await writeFile(path, "old");
    await using server = await startReceiverServer({ answers: [{ status: 401 }] });
    await using client = createClient(server.url, basicAuth("ann", await openSecretFile(path)));
    expect(await client.send(batch, 0)).toMatchObject({ kind: "held", reason: "http_401" });
    expect(await client.refreshCredentials()).toBe(false);
    await writeFile(path, "new");
    expect(await client.refreshCredentials()).toBe(true);
    expect((await client.send(batch, 1)).kind).toBe("sent");
    expect(server.requests[1]?.headers.authorization).toBe(`Basic ${base64("ann:new")}`);
    expect(await client.refreshCredentials()).toBe(false);
  });

  it("are no refusal of those that another queue has found meanwhile", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "token");
    await writeFile(path, "old");
    const seen: (string | undefined)[] = [];
    const slow: ServerResponse[] = [];
    const server = createServer(({ headers: { authorization } }, response) => {
      seen.push(authorization);
      if (seen.length === 1) slow.push(response);
      else response.writeHead(authorization === "Bearer new" ? 204 : 403).end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    // A TCP server that listens has an address of this kind.
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/api/v1/write`);
    const auth = tokenAuth("Bearer", await openSecretFile(path));
    const transport = new Transport({ url, timeoutMs: 5_000, connections: 2 });
    const options = { url: url.href, auth, transport, userAgent: "plimsoll/1", clock: systemClock };
    await using client = new RemoteWriteClient(options);
    const first = client.send(batch, 0);
    await expect.poll(() => slow).toHaveLength(1);
    await writeFile(path, "new!");
    expect(await client.send(batch, 0)).toMatchObject({ reason: "http_403" });
    await writeFile(path, "new");
    expect((await client.send(batch, 0)).kind).toBe("sent");
    slow[0]?.writeHead(401).end();
    expect((await first).kind).toBe("sent");
    // Once each: what is refused and still the newest is not sent again.
    expect(seen).toEqual(["Bearer old", "Bearer new!", "Bearer new", "Bearer new"]);
    server.closeAllConnections();
    server.close();
  });

  it.each([undefined, tokenAuth("Bearer", fixedText("tok"))])(
    "stay what they are without a file",
    async (auth) => {
      await using server = await startReceiverServer({ answers: [{ status: 403 }] });
      await using client = createClient(server.url, auth);
      await client.send(batch, 0);
      expect(await client.refreshCredentials()).toBe(false);
    },
  );
});

it("does not send what cannot be a token, keeps the batch and does not show it", async () => {
  await using server = await startReceiverServer();
  await using client = createClient(server.url, tokenAuth("Bearer", fixedText("s3cret\nX: y")));
  const outcome = await client.send(batch, 0);
  expect(outcome).toMatchObject({ kind: "retry", reason: "credentials_refused" });
  expect(JSON.stringify(outcome)).not.toContain("s3cret");
  expect(server.requests).toEqual([]);
});
