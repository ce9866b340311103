import { describe, expect, it } from "vitest";
import type { AwsCredentialSource } from "../../../../src/send/auth/aws-credentials.ts";
import type { OutgoingRequest, Preparation } from "../../../../src/send/auth/request-auth.ts";
import { SigV4Auth } from "../../../../src/send/auth/sigv4-auth.ts";
import type { AwsCredentials } from "../../../../src/send/auth/sigv4-signature.ts";
import { awsAuthorization } from "../../../support/aws-signer.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const request: OutgoingRequest = {
  method: "POST",
  url: new URL(
    "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write",
  ),
  headers: { "Content-Type": "application/x-protobuf", "Retry-Attempt": "1" },
  body: new Uint8Array([1, 2, 3]),
};
const first: AwsCredentials = { accessKeyId: "AKIDONE", secretAccessKey: "k1" };
const second: AwsCredentials = {
  accessKeyId: "ASIATWO",
  secretAccessKey: "k2",
  sessionToken: "t2",
};

/** Gives what is current; `renew` moves on to the next. */
function sourceOf(...all: (AwsCredentials | Error)[]): AwsCredentialSource {
  const get = (): Promise<AwsCredentials> => {
    const [current] = all;
    return current instanceof Error || current === undefined
      ? Promise.reject(current)
      : Promise.resolve(current);
  };
  return {
    get,
    renew: () => {
      if (all.length > 1) all.shift();
      return get();
    },
  };
}

const createAuth = (credentials: AwsCredentialSource, clock = new FakeClock()) =>
  new SigV4Auth({ region: "eu-west-1", credentials, clock });

const headersOf = (prepared: Preparation) => (prepared.kind === "ready" ? prepared.headers : {});

async function expectSigned(prepared: Preparation, credentials: AwsCredentials): Promise<void> {
  const { Authorization, ...amz } = headersOf(prepared);
  const headers = {
    host: request.url.host,
    "content-type": "application/x-protobuf",
    ...Object.fromEntries(Object.entries(amz).map(([name, value]) => [name.toLowerCase(), value])),
  };
  const scope = { region: "eu-west-1", service: "aps" };
  expect(Authorization).toBe(await awsAuthorization({ ...request, headers }, credentials, scope));
}

describe("a signature", () => {
  it("is of this moment, so that a request may be tried again for hours", async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 1));
    const auth = createAuth(sourceOf(first), clock);
    const now = await auth.prepare(request);
    clock.advance(3_600_000);
    const later = await auth.prepare(request);
    expect(headersOf(now)).toMatchObject({ "X-Amz-Date": "20260101T000000Z" });
    expect(headersOf(later)).toMatchObject({ "X-Amz-Date": "20260101T010000Z" });
    await expectSigned(now, first);
    await expectSigned(later, first);
  });

  it("covers the session token, and goes without the secrets that made it", async () => {
    const prepared = await createAuth(sourceOf(second)).prepare(request);
    await expectSigned(prepared, second);
    expect(headersOf(prepared)).toMatchObject({ "X-Amz-Security-Token": "t2" });
    expect(prepared).toMatchObject({ secrets: ["k2", "t2"] });
    expect(JSON.stringify(headersOf(prepared))).not.toContain("k2");
  });
});

describe("refused credentials", () => {
  it("are worth another try when others are found", async () => {
    const auth = createAuth(sourceOf(first, second));
    await auth.prepare(request);
    expect(await auth.refresh()).toBe(true);
    await expectSigned(await auth.prepare(request), second);
    expect(await auth.refresh()).toBe(false);
  });

  it("are not, when none are found", async () => {
    const auth = createAuth(sourceOf(first, new Error("service away")));
    await auth.prepare(request);
    expect(await auth.refresh()).toBe(false);
  });
});

it.each([
  ["CredentialsProviderError", "credentials_refused"],
  ["TimeoutError", "credentials_unavailable"],
])("says why there are none (%s)", async (name, reason) => {
  const error = Object.assign(new Error("profile nobody was not found"), { name });
  expect(await createAuth(sourceOf(error)).prepare(request)).toEqual({
    kind: "missing",
    reason,
    text: "there are no AWS credentials to sign with: profile nobody was not found",
  });
});
