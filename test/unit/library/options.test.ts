import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { optionRows } from "../../../src/config/option-table.ts";
import { ConfigError } from "../../../src/errors.ts";
import {
  libraryRows,
  type PrometheusRemoteWriteOptions,
  resolveLibraryOptions,
} from "../../../src/library/options.ts";

/** One of each; the type keeps it whole. */
const every: Required<PrometheusRemoteWriteOptions> = {
  url: new URL("https://prom.test/api/v1/write"),
  testid: "checkout-1",
  test: "checkout",
  tags: { team: "shop", build: 7 },
  generator: "artillery 2",
  env: {},
  onNotice: () => undefined,
  username: "me",
  password: "secret",
  passwordFile: undefined,
  bearerToken: undefined,
  bearerTokenFile: undefined,
  authorizationType: undefined,
  oauth2ClientId: undefined,
  oauth2ClientSecret: undefined,
  oauth2ClientSecretFile: undefined,
  oauth2TokenUrl: undefined,
  oauth2Scopes: undefined,
  oauth2EndpointParams: undefined,
  oauth2TlsCaFile: undefined,
  sigv4Region: undefined,
  sigv4AccessKey: undefined,
  sigv4SecretKey: undefined,
  sigv4Profile: undefined,
  sigv4RoleArn: undefined,
  proxyUrl: "http://proxy.test:3128",
  headers: { "X-Scope-OrgID": "team" },
  timeout: 1_500,
  protocol: "2",
  insecureSkipTlsVerify: true,
  tlsMinVersion: "1.3",
  tlsCaFile: "ca.pem",
  clientCertificate: "cert.pem",
  clientCertificateKey: "key.pem",
  preflight: false,
  pushInterval: "2s",
  lateness: "100ms",
  trends: "classic",
  trendStats: ["p(99)", "max"],
  staleMarkers: false,
  maxSeries: 10,
  nameTemplates: ["/products/{id}"],
  writeRelabelConfigs: [{ action: "labeldrop", regex: "build" }],
  dataDir: "data",
  spoolDir: "data/waiting",
  spoolLimit: "2MiB",
  queues: 4,
  sampleAgeLimit: "1h",
  drainTimeout: 5_000,
};

/** The problems, each with its option before it. */
function problemsOf(options: object): string[] {
  try {
    resolveLibraryOptions(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ option, message, source }) => `${option} (${source}) ${message}`);
  }
  return [];
}

it("has every option of plimsoll.yaml but those of the command line, by its key without remoteWrite", () => {
  const names = Object.keys(every).filter(
    (name) => !["generator", "env", "onNotice"].includes(name),
  );
  expect([...libraryRows.keys()].sort()).toEqual(names.sort());
  const left = optionRows
    .filter((row) => ![...libraryRows.values()].includes(row))
    .filter(({ group }) => group !== "serve" && group !== "client");
  expect(left.map(({ key }) => key)).toEqual(["out", "metricsListen"]);
  expect(libraryRows.get("url")?.key).toBe("remoteWriteUrl");
});

it("takes values as JavaScript has them", () => {
  expect(resolveLibraryOptions(every)).toMatchObject({
    url: "https://prom.test/api/v1/write",
    testid: "checkout-1",
    tags: new Map([
      ["team", "shop"],
      ["build", "7"],
    ]),
    headers: new Map([["X-Scope-OrgID", "team"]]),
    password: "secret",
    timeoutMs: 1_500,
    insecureSkipTlsVerify: true,
    tlsCaFile: resolve("ca.pem"),
    preflight: false,
    pushIntervalMs: 2_000,
    trendStats: ["p(99)", "max"],
    maxSeries: 10,
    writeRelabelConfigs: { source: "options", rules: [{ action: "labeldrop", regex: "build" }] },
    spoolDir: resolve("data/waiting"),
    spoolLimitBytes: 2 ** 21,
    proxyUrl: "http://proxy.test:3128",
    queues: 4,
    sampleAgeLimitMs: 3_600_000,
    drainTimeoutMs: 5_000,
  });
  const tags = new Map([["team", "shop"]]);
  expect(resolveLibraryOptions({ tags }).tags).toEqual(tags);
});

it("has the defaults of the command, also for what is undefined", () => {
  expect(resolveLibraryOptions({ url: undefined, pushInterval: undefined })).toMatchObject({
    url: "http://localhost:9090/api/v1/write",
    pushIntervalMs: 1_000,
    protocol: "auto",
    preflight: true,
  });
});

it("looks at variables only where it is given them, and they win", () => {
  const env = { PLIMSOLL_TESTID: "of-ci", XDG_DATA_HOME: "/data" };
  expect(resolveLibraryOptions({ testid: "of-code", env })).toMatchObject({
    testid: "of-ci",
    spoolDir: join("/data", "plimsoll", "spool"),
  });
  expect(problemsOf({ env: { PLIMSOLL_TEST_ID: "x" } })).toEqual([
    'PLIMSOLL_TEST_ID (environment) is not an option (did you mean "PLIMSOLL_TESTID"?)',
  ]);
});

describe("refuses, all at once and by the names that are used here,", () => {
  it("values that are none", () => {
    expect(
      problemsOf({
        pushInterval: "1 fortnight",
        maxSeries: 0.5,
        timeout: () => 1,
        writeRelabelConfigs: [{ action: "explode" }],
        tlsCaFile: ["a"],
      }),
    ).toEqual([
      "timeout (options) is a function: expected text, a number, a boolean, a list or an object",
      "tlsCaFile (options) expected one value, got a list or a map",
      'pushInterval (options) "1 fortnight" is not a duration: expected one such as "500ms", "5s" or "1m30s"',
      'maxSeries (options) "0.5" is not a whole number',
      expect.stringContaining('write_relabel_configs[0].action (options) "explode" is not one of'),
    ]);
  });

  it.each([
    ["pushIntervall", "pushInterval"],
    ["timeoutMs", "timeout"],
    ["remoteWriteUrl", "url"],
    ["remoteWriteTimeOut", "timeout"],
    ["testId", "testid"],
    ["onNotices", "onNotice"],
  ])("an option %s, and suggests %s", (wrong, right) => {
    expect(problemsOf({ [wrong]: "x" })).toEqual([
      `${wrong} (options) is not an option (did you mean "${right}"?)`,
    ]);
  });

  it("options that do not go together", () => {
    expect(problemsOf({ username: "me", bearerToken: "secret" })).toEqual([
      "bearerToken (options) is a second method of authentication beside username (from options): " +
        "the receiver takes one",
    ]);
    expect(problemsOf({ password: "secret" })).toEqual([
      "password (options) is given without a user name: set username",
    ]);
  });
});
