import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { ConfigError } from "../../../src/errors.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { fixedText, TextFile } from "../../../src/send/text-source.ts";
import { isLoopback, Transport, type TransportOptions } from "../../../src/send/transport.ts";
import {
  createAuthority,
  describeWithOpenssl,
  type Authority,
  type Certificate,
} from "../../support/certificates.ts";
import { encodeWriteRequest } from "../../support/encode-write-request.ts";
import { startForwardProxy } from "../../support/forward-proxy.ts";
import { startReceiverServer } from "../../support/receiver-server.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

const batch = encodeWriteRequest({ protocol: "1", timestampMs: 1_700_000_000_000, float: 1 });

function createClient(url: string, options: Partial<TransportOptions> = {}) {
  const transport = new Transport({ url: new URL(url), timeoutMs: 5_000, ...options });
  const clock = systemClock;
  return new RemoteWriteClient({
    url,
    transport,
    userAgent: "plimsoll/1",
    clock,
    timeoutMs: 5_000,
  });
}

/** The receiver under a name that only a proxy knows. */
const named = (url: string) => url.replace("127.0.0.1", "prom.test");

describe("TLS", () => {
  it("is missed where the receiver does not speak it", async () => {
    await using server = await startReceiverServer();
    await using client = createClient(server.url.replace("http:", "https:"));
    expect(await client.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
  });
});

describeWithOpenssl("TLS with certificates", () => {
  let folder: TemporaryFolder;
  let ours: Authority;
  let other: Authority;
  let server: Certificate;
  let client: Certificate;
  beforeAll(async () => {
    folder = await createTemporaryFolder();
    ours = createAuthority(folder.path, "ours");
    other = createAuthority(folder.path, "other");
    server = ours.issue("server");
    client = ours.issue("client");
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const trust = (ca: Certificate) => ({ tls: { ca: fixedText(ca.cert) } });

  it("trusts the authority it is told to trust, and no other", async () => {
    await using receiver = await startReceiverServer({ tls: server });
    await using strict = createClient(receiver.url);
    expect(await strict.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    await using mistaken = createClient(receiver.url, trust(other));
    expect(await mistaken.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    expect(receiver.requests).toEqual([]);
    await using trusting = createClient(receiver.url, trust(ours));
    expect((await trusting.send(batch, 0)).kind).toBe("sent");
    await using careless = createClient(receiver.url, { tls: { insecureSkipVerify: true } });
    expect((await careless.send(batch, 0)).kind).toBe("sent");
  });

  it("shows its own certificate to a receiver that asks for one", async () => {
    const tls = { ...server, ca: ours.cert, requestCert: true, rejectUnauthorized: true };
    await using receiver = await startReceiverServer({ tls });
    const { cert, key } = { cert: fixedText(client.cert), key: fixedText(client.key) };
    await using known = createClient(receiver.url, { tls: { ...trust(ours).tls, cert, key } });
    expect((await known.send(batch, 0)).kind).toBe("sent");
    await using unknown = createClient(receiver.url, trust(ours));
    expect(await unknown.send(batch, 0)).toMatchObject({ kind: "retry" });
    expect(receiver.requests).toHaveLength(1);
  });

  it("takes certificates that have changed for new connections", async () => {
    const files = {
      ca: join(folder.path, "used-ca.pem"),
      cert: join(folder.path, "used.pem"),
      key: join(folder.path, "used.key"),
    };
    const stranger = other.issue("stranger");
    await writeFile(files.ca, other.cert);
    await writeFile(files.cert, stranger.cert);
    await writeFile(files.key, stranger.key);
    const tls = { ...server, ca: ours.cert, requestCert: true, rejectUnauthorized: true };
    await using receiver = await startReceiverServer({ tls });
    await using sender = createClient(receiver.url, {
      tls: {
        ca: await TextFile.open(files.ca),
        cert: await TextFile.open(files.cert),
        key: await TextFile.open(files.key),
      },
    });
    expect(await sender.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    await writeFile(files.ca, ours.cert);
    expect((await sender.send(batch, 0)).kind).toBe("retry");
    expect(await sender.refreshCredentials()).toBe(false);
    // The certificate is not that of the key, until the key is replaced, too.
    await writeFile(files.cert, client.cert);
    expect(await sender.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    await writeFile(files.key, client.key);
    expect(await sender.refreshCredentials()).toBe(true);
    expect((await sender.send(batch, 0)).kind).toBe("sent");
    const { connections } = receiver;
    expect((await sender.send(batch, 0)).kind).toBe("sent");
    expect(receiver.connections).toBe(connections);
  });

  it("refuses a version below the one it is told", async () => {
    await using receiver = await startReceiverServer({ tls: { ...server, maxVersion: "TLSv1.2" } });
    const tls = { ca: fixedText(ours.cert), minVersion: "TLSv1.3" } as const;
    await using modern = createClient(receiver.url, { tls });
    expect(await modern.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    await using usual = createClient(receiver.url, trust(ours));
    expect((await usual.send(batch, 0)).kind).toBe("sent");
  });

  it("passes a proxy in a tunnel, to the receiver's own certificate", async () => {
    await using receiver = await startReceiverServer({ tls: server });
    await using proxy = await startForwardProxy("ann:s3cret");
    const url = named(receiver.url);
    const proxyUrl = proxy.url.replace("//", "//ann:s3cret@");
    await using client = createClient(url, { proxyUrl, ...trust(ours) });
    expect((await client.send(batch, 0)).kind).toBe("sent");
    expect((await client.send(batch, 0)).kind).toBe("sent");
    expect(proxy.requests).toEqual([`CONNECT ${new URL(url).host}`]);
    await using mistaken = createClient(url, { proxyUrl, ...trust(other) });
    expect(await mistaken.send(batch, 0)).toMatchObject({ kind: "retry", reason: "tls" });
    await using unknown = createClient(url, { proxyUrl: proxy.url, ...trust(ours) });
    expect(await unknown.send(batch, 0)).toMatchObject({ kind: "retry", reason: "proxy" });
    expect(receiver.requests).toHaveLength(2);
  });
});

describe("a proxy", () => {
  const variables = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
  ];
  const setVariables = (values: Readonly<Record<string, string>>) => {
    for (const name of variables) vi.stubEnv(name, values[name]);
  };
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("is asked with the whole URL where there is no TLS", async () => {
    await using receiver = await startReceiverServer();
    await using proxy = await startForwardProxy("ann:s3cret");
    const url = named(receiver.url);
    await using client = createClient(url, { proxyUrl: proxy.url.replace("//", "//ann:s3cret@") });
    expect((await client.send(batch, 0)).kind).toBe("sent");
    expect(proxy.requests).toEqual([`POST ${url}`]);
    expect(receiver.requests[0]?.headers.host).toBe(new URL(url).host);
    expect(receiver.violations).toEqual([]);
  });

  it("that refuses us loses no batch", async () => {
    await using receiver = await startReceiverServer();
    await using proxy = await startForwardProxy("ann:s3cret");
    await using client = createClient(named(receiver.url), { proxyUrl: proxy.url });
    expect(await client.send(batch, 0)).toMatchObject({
      kind: "retry",
      reason: "proxy",
      text: expect.stringContaining("407"),
    });
    expect(receiver.requests).toEqual([]);
  });

  it("that is not there loses no batch", async () => {
    await using receiver = await startReceiverServer();
    const proxy = await startForwardProxy();
    await proxy[Symbol.asyncDispose]();
    await using client = createClient(named(receiver.url), { proxyUrl: proxy.url });
    expect(await client.send(batch, 0)).toMatchObject({ reason: "connection_refused" });
  });

  it.each(["HTTP_PROXY", "http_proxy"])("is the one that %s names", async (name) => {
    await using receiver = await startReceiverServer();
    await using proxy = await startForwardProxy();
    setVariables({ [name]: proxy.url });
    await using client = createClient(named(receiver.url));
    expect((await client.send(batch, 0)).kind).toBe("sent");
    expect(proxy.requests).toHaveLength(1);
  });

  it.each(["NO_PROXY", "no_proxy"])("is not asked for hosts in %s", async (name) => {
    await using proxy = await startForwardProxy();
    setVariables({ HTTP_PROXY: proxy.url, [name]: "other, .test" });
    await using client = createClient("http://prom.test/api/v1/write");
    // Nobody but the proxy knows the name.
    expect(await client.send(batch, 0)).toMatchObject({ reason: "dns" });
    expect(proxy.requests).toEqual([]);
  });

  it("is not asked for this machine, unless the option names it", async () => {
    await using receiver = await startReceiverServer();
    await using proxy = await startForwardProxy();
    setVariables({ HTTP_PROXY: proxy.url });
    await using direct = createClient(receiver.url);
    expect((await direct.send(batch, 0)).kind).toBe("sent");
    expect(proxy.requests).toEqual([]);
    await using asked = createClient(receiver.url, { proxyUrl: proxy.url });
    expect((await asked.send(batch, 0)).kind).toBe("sent");
    expect(proxy.requests).toHaveLength(1);
  });

  it.each(["ann:s3cret@proxy:3128", "proxy:3128"])(
    "is an error of the start where the variable holds no URL, and is not shown: %s",
    async (value) => {
      setVariables({ HTTPS_PROXY: value });
      await using transport = new Transport({ url: new URL("https://prom.test"), timeoutMs: 1 });
      await expect(transport.dispatcher()).rejects.toThrow(ConfigError);
      await expect(transport.dispatcher()).rejects.not.toThrow("s3cret");
    },
  );
});

it.each([
  ["localhost", true],
  ["prom.localhost", true],
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["[::1]", true],
  ["localhost.test", false],
  ["127.0.0.1.test", false],
  ["10.0.0.1", false],
])("knows whether %s is this machine: %s", (host, expected) => {
  expect(isLoopback(new URL(`http://${host}`).hostname)).toBe(expected);
});
