/**
 * Where credentials are found, with AWS's own package and a token service that is scripted.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  openAwsCredentials,
  type AwsCredentialOptions,
} from "../../../../src/send/auth/aws-credentials.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { startFormServer } from "../../../support/form-server.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../../support/temporary-folder.ts";
import { temporaryCredentials } from "../../../support/token-service.ts";

const base: AwsCredentialOptions = {
  region: "eu-west-1",
  keys: undefined,
  profile: undefined,
  roleArn: undefined,
  clock: new FakeClock(),
};
const keys = { accessKeyId: "AKIDFIXED", secretAccessKey: "k1" };

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_"))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder.path, "credentials"));
  vi.stubEnv("AWS_CONFIG_FILE", join(folder.path, "config"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

const writeProfile = (accessKeyId: string) =>
  writeFile(
    join(folder.path, "credentials"),
    `[load]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = k2\n`,
  );

it("are the keys that are given", async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "k3");
  vi.stubEnv("AWS_SESSION_TOKEN", "of-other-keys");
  const source = await openAwsCredentials({ ...base, keys });
  expect(await source.get()).toEqual(keys);
});

describe("AWS's variables", () => {
  it("are used where no keys are given, with their session token", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "k3");
    vi.stubEnv("AWS_SESSION_TOKEN", "t3");
    const source = await openAwsCredentials(base);
    expect(await source.get()).toEqual({
      accessKeyId: "AKIDENV",
      secretAccessKey: "k3",
      sessionToken: "t3",
    });
  });

  it.each([
    ["the option", { profile: "load" }, {}],
    ["AWS_PROFILE", {}, { AWS_PROFILE: "load" }],
  ])("yield to a profile that %s names", async (_, options, environment) => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "k3");
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    await writeProfile("AKIDPROFILE");
    const source = await openAwsCredentials({ ...base, ...options });
    expect(await source.get()).toMatchObject({ accessKeyId: "AKIDPROFILE" });
  });
});

describe("a profile", () => {
  it("is read again after a minute, and at once on demand", async () => {
    const clock = new FakeClock();
    await writeProfile("AKIDONE");
    const source = await openAwsCredentials({ ...base, profile: "load", clock });
    expect(await source.get()).toMatchObject({ accessKeyId: "AKIDONE" });
    await writeProfile("AKIDTWO");
    clock.advance(59_999);
    expect(await source.get()).toMatchObject({ accessKeyId: "AKIDONE" });
    clock.advance(1);
    await expect.poll(() => source.get()).toMatchObject({ accessKeyId: "AKIDTWO" });
    await writeProfile("AKIDTHREE");
    expect(await source.renew()).toMatchObject({ accessKeyId: "AKIDTHREE" });
    expect(await source.get()).toMatchObject({ accessKeyId: "AKIDTHREE" });
  });

  it("that is not there is named", async () => {
    const source = await openAwsCredentials({ ...base, profile: "nobody" });
    await expect(source.get()).rejects.toThrow("nobody");
  });
});

it("takes on a role with the keys, and again five minutes before its credentials expire", async () => {
  const clock = new FakeClock(Date.now());
  let issued = 0;
  await using service = await startFormServer((request) => {
    issued += 1;
    const credentials = {
      accessKeyId: `ASIA${issued}`,
      secretAccessKey: "k4",
      sessionToken: `t${issued}`,
    };
    return temporaryCredentials(request, credentials, new Date(clock.nowMs() + 900_000));
  });
  vi.stubEnv("AWS_ENDPOINT_URL_STS", service.url);
  const roleArn = "arn:aws:iam::123456789012:role/load";
  const source = await openAwsCredentials({ ...base, keys, roleArn, clock });
  const [first, same] = await Promise.all([source.get(), source.get()]);
  expect(first).toMatchObject({ accessKeyId: "ASIA1", sessionToken: "t1" });
  expect(same).toBe(first);
  clock.advance(599_000);
  expect(await source.get()).toMatchObject({ accessKeyId: "ASIA1" });
  clock.advance(2_000);
  await expect.poll(() => source.get()).toMatchObject({ accessKeyId: "ASIA2" });
  expect(service.requests).toHaveLength(2);
  expect(service.requests[0]).toMatchObject({
    form: { Action: "AssumeRole", RoleArn: roleArn, RoleSessionName: "plimsoll" },
    headers: { authorization: expect.stringContaining("Credential=AKIDFIXED/") },
  });
});

it("uses the credentials of a role until they expire where others are not to be had, and seldom asks", async () => {
  const clock = new FakeClock(Date.now());
  await using service = await startFormServer((request) =>
    service.requests.length === 1
      ? temporaryCredentials(
          request,
          { accessKeyId: "ASIA1", secretAccessKey: "k4", sessionToken: "t1" },
          new Date(clock.nowMs() + 900_000),
        )
      : {
          status: 403,
          body: "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
        },
  );
  vi.stubEnv("AWS_ENDPOINT_URL_STS", service.url);
  const roleArn = "arn:aws:iam::123456789012:role/load";
  const source = await openAwsCredentials({ ...base, keys, roleArn, clock });
  await source.get();
  clock.advance(700_000);
  for (let n = 0; n < 20; n++) {
    expect(await source.get()).toMatchObject({ accessKeyId: "ASIA1" });
  }
  await expect(source.renew()).rejects.toThrow();
  expect(service.requests).toHaveLength(2);
  clock.advance(4_999);
  await source.get();
  expect(service.requests).toHaveLength(2);
  clock.advance(1);
  expect(await source.get()).toMatchObject({ accessKeyId: "ASIA1" });
  await expect.poll(() => service.requests).toHaveLength(3);
  await expect(source.renew()).rejects.toThrow();
  clock.advance(195_000);
  await expect(source.get()).rejects.toThrow();
});
