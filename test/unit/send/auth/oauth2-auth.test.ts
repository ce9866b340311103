import { describe, expect, it } from "vitest";
import { OAuth2Auth, type OAuth2Options } from "../../../../src/send/auth/oauth2-auth.ts";
import type { Preparation } from "../../../../src/send/auth/request-auth.ts";
import { fixedText } from "../../../../src/send/text-source.ts";
import { Transport } from "../../../../src/send/transport.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import {
  startFormServer,
  type FormAnswer,
  type ReceivedForm,
} from "../../../support/form-server.ts";

const token = (access_token: string, more: object = {}): FormAnswer => ({
  status: 200,
  body: JSON.stringify({ access_token, token_type: "bearer", ...more }),
});

const secret = "s3cret+/&";
/** As the form encodes it. */
const basic = `Basic ${Buffer.from("plimsoll:s3cret%2B%2F%26").toString("base64")}`;

function createAuth(url: string, clock = new FakeClock(0), options: Partial<OAuth2Options> = {}) {
  const transport = new Transport({ url: new URL(url), timeoutMs: 2_000 });
  const auth = new OAuth2Auth({
    tokenUrl: `${url}/token?tenant=a`,
    clientId: "plimsoll",
    clientSecret: fixedText(secret),
    scopes: [],
    endpointParams: new Map(),
    transport,
    timeoutMs: 2_000,
    userAgent: "plimsoll/1",
    clock,
    ...options,
  });
  return Object.assign(auth, { [Symbol.asyncDispose]: () => auth.close() });
}

const sent = (prepared: Preparation) =>
  prepared.kind === "ready" ? prepared.headers["Authorization"] : prepared.text;

describe("a token", () => {
  it("is asked for as RFC 6749 says, with scopes and parameters", async () => {
    await using server = await startFormServer(() => token("t1"));
    await using auth = createAuth(server.url, undefined, {
      scopes: ["metrics:write", "b"],
      endpointParams: new Map([["audience", "mimir"]]),
    });
    expect(sent(await auth.prepare())).toBe("Bearer t1");
    expect(server.requests).toMatchObject([
      {
        path: "/token?tenant=a",
        headers: {
          authorization: basic,
          "content-type": "application/x-www-form-urlencoded",
          "user-agent": "plimsoll/1",
        },
        form: { grant_type: "client_credentials", scope: "metrics:write b", audience: "mimir" },
      },
    ]);
  });

  it("is kept until ten seconds before it expires", async () => {
    let issued = 0;
    await using server = await startFormServer(() => token(`t${++issued}`, { expires_in: 60 }));
    const clock = new FakeClock(1_000_000);
    await using auth = createAuth(server.url, clock);
    expect(sent(await auth.prepare())).toBe("Bearer t1");
    clock.advance(49_999);
    expect(sent(await auth.prepare())).toBe("Bearer t1");
    clock.advance(1);
    expect(sent(await auth.prepare())).toBe("Bearer t2");
  });

  it("is fetched once for all who wait for it", async () => {
    await using server = await startFormServer(() => token("t1"));
    await using auth = createAuth(server.url);
    const prepared = await Promise.all([auth.prepare(), auth.prepare(), auth.prepare()]);
    expect(prepared.map(sent)).toEqual(["Bearer t1", "Bearer t1", "Bearer t1"]);
    expect(server.requests).toHaveLength(1);
  });

  it("is renewed when the receiver has refused it, and is another one only if it differs", async () => {
    const answers = ["t1", "t2", "t2"];
    await using server = await startFormServer(() => token(answers.shift() ?? ""));
    await using auth = createAuth(server.url);
    await auth.prepare();
    expect(await auth.refresh()).toBe(true);
    expect(sent(await auth.prepare())).toBe("Bearer t2");
    expect(await auth.refresh()).toBe(false);
    expect(server.requests).toHaveLength(3);
  });

  it("is another one for each queue whose request had the old one", async () => {
    const answers = ["t1", "t2", "t2", "t2"];
    await using server = await startFormServer(() => token(answers.shift() ?? ""));
    await using auth = createAuth(server.url);
    await Promise.all([auth.prepare(), auth.prepare()]);
    expect(await auth.refresh()).toBe(true);
    expect(await auth.refresh()).toBe(true);
    expect(sent(await auth.prepare())).toBe("Bearer t2");
    expect(await auth.refresh()).toBe(false);
  });

  it("is sent with the scheme that the endpoint names", async () => {
    await using server = await startFormServer(() => token("t1", { token_type: "DPoP" }));
    await using auth = createAuth(server.url);
    expect(sent(await auth.prepare())).toBe("DPoP t1");
  });
});

it("puts id and secret into the body where the endpoint wants that, and remembers it", async () => {
  const wantsBody = ({ form }: ReceivedForm) =>
    form["client_secret"] === secret && form["client_id"] === "plimsoll"
      ? token("t1", { expires_in: 1 })
      : { status: 401, body: '{"error":"invalid_client"}' };
  await using server = await startFormServer(wantsBody);
  await using auth = createAuth(server.url);
  expect(sent(await auth.prepare())).toBe("Bearer t1");
  expect(sent(await auth.prepare())).toBe("Bearer t1");
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    basic,
    undefined,
    undefined,
  ]);
});

describe("without a token", () => {
  it.each([
    [
      "a refused client",
      { status: 401, body: '{"error":"invalid_client","error_description":"unknown s3cret+/&"}' },
      "credentials_refused",
      "answered HTTP 401: invalid_client: unknown ***",
    ],
    [
      "an endpoint in trouble",
      { status: 503, body: "please wait\n" },
      "credentials_unavailable",
      "answered HTTP 503: please wait",
    ],
    [
      "an endpoint that shows the secret where its answer is cut",
      { status: 503, body: `${"x".repeat(194)} ${secret}` },
      "credentials_unavailable",
      `answered HTTP 503: ${"x".repeat(194)} ***`,
    ],
    [
      "a page in place of a token",
      { status: 200, body: "<html>" },
      "credentials_refused",
      "answered without an access token",
    ],
    [
      "a token that cannot be sent",
      { status: 200, body: '{"access_token":"a\\nb"}' },
      "credentials_refused",
      "answered without an access token",
    ],
  ])("says so of %s, and no secret", async (_, answer, reason, text) => {
    await using server = await startFormServer(() => answer);
    await using auth = createAuth(server.url);
    expect(await auth.prepare()).toEqual({
      kind: "missing",
      reason,
      text: `the OAuth2 token endpoint "${server.url}/token" ${text}`,
    });
    expect(await auth.refresh()).toBe(false);
  });

  it("says so of an endpoint that is not there, and asks again the next time", async () => {
    await using server = await startFormServer(() => token("t1"));
    const { url } = server;
    await server[Symbol.asyncDispose]();
    await using auth = createAuth(url);
    expect(await auth.prepare()).toMatchObject({
      reason: "credentials_unavailable",
      text: expect.stringContaining("cannot be asked: nothing listens there"),
    });
  });

  it("gives up asking when it is closed, and leaves no connection", async () => {
    await using server = await startFormServer(() => new Promise<FormAnswer>(() => undefined));
    const transport = new Transport({ url: new URL(server.url), timeoutMs: 60_000 });
    const auth = createAuth(server.url, undefined, { transport, timeoutMs: 60_000 });
    const prepared = auth.prepare();
    const isGivenUp = expect(prepared).rejects.toThrow("closed");
    await expect.poll(() => server.requests).toHaveLength(1);
    await auth.close();
    await isGivenUp;
    await expect(auth.refresh()).rejects.toThrow("closed");
    await expect(transport.dispatcher()).rejects.toThrow("closed");
  });

  it("says so of an endpoint that does not answer", async () => {
    await using server = await startFormServer(() => new Promise<FormAnswer>(() => undefined));
    await using auth = createAuth(server.url, undefined, { timeoutMs: 100 });
    expect(await auth.prepare()).toMatchObject({
      reason: "credentials_unavailable",
      text: expect.stringContaining("no answer in 100 ms"),
    });
  });
});
