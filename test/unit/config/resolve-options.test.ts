import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OptionSources } from "../../../src/config/option-candidates.ts";
import { optionRows } from "../../../src/config/option-table.ts";
import type { OptionName } from "../../../src/config/options.ts";
import { resolveOptions } from "../../../src/config/resolve-options.ts";
import type { RawMap, RawValue } from "../../../src/config/yaml.ts";
import { ConfigError } from "../../../src/errors.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const toFile = (values: RawMap) => ({ source: "plimsoll.yaml", directory: "/project", values });

/** The problems, one line each; empty when there are none. */
function problemsOf(sources: OptionSources): string[] {
  try {
    resolveOptions(sources);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
}

describe("without any source", () => {
  it("has working defaults", () => {
    const { values, sources } = resolveOptions({ environment: { HOME: "/home/ann" } });
    expect(values).toEqual({
      testid: undefined,
      test: undefined,
      tags: new Map(),
      out: ["prometheus-rw"],
      url: "http://localhost:9090/api/v1/write",
      username: undefined,
      password: undefined,
      passwordFile: undefined,
      bearerToken: undefined,
      bearerTokenFile: undefined,
      authorizationType: "Bearer",
      oauth2ClientId: undefined,
      oauth2ClientSecret: undefined,
      oauth2ClientSecretFile: undefined,
      oauth2TokenUrl: undefined,
      oauth2Scopes: [],
      oauth2EndpointParams: new Map(),
      oauth2TlsCaFile: undefined,
      sigv4Region: undefined,
      sigv4AccessKey: undefined,
      sigv4SecretKey: undefined,
      sigv4Profile: undefined,
      sigv4RoleArn: undefined,
      headers: new Map(),
      timeoutMs: 30_000,
      proxyUrl: undefined,
      protocol: "auto",
      insecureSkipTlsVerify: false,
      tlsMinVersion: "1.2",
      tlsCaFile: undefined,
      clientCertificate: undefined,
      clientCertificateKey: undefined,
      preflight: true,
      pushIntervalMs: 1_000,
      latenessMs: 250,
      trends: "auto",
      trendStats: ["p(99)"],
      staleMarkers: true,
      maxSeries: 100_000,
      nameTemplates: [],
      writeRelabelConfigs: { source: "default", rules: [] },
      dataDir: "/home/ann/.local/share/plimsoll",
      spoolDir: "/home/ann/.local/share/plimsoll/spool",
      spoolLimitBytes: 1_073_741_824,
      queues: 1,
      sampleAgeLimitMs: 0,
      drainTimeoutMs: 30_000,
      metricsListen: undefined,
      listen: { host: "127.0.0.1", port: 6460 },
      publicUrl: undefined,
      grafanaUrl: undefined,
      peerUrl: undefined,
      queryUrl: undefined,
      databaseUrl: undefined,
      trustedProxies: [],
      tlsCertificateFile: undefined,
      tlsKeyFile: undefined,
      runTimeoutMs: 120_000,
      server: undefined,
      token: undefined,
    });
    expect(new Set(Object.values(sources).map(({ name }) => name))).toEqual(new Set(["default"]));
  });

  it.each([
    ["an absolute XDG_DATA_HOME", { XDG_DATA_HOME: "/data", HOME: "/h" }, "/data/plimsoll"],
    ["a relative one", { XDG_DATA_HOME: "data", HOME: "/h" }, "/h/.local/share/plimsoll"],
  ])("finds the data directory with %s", (_, environment, dataDir) => {
    expect(resolveOptions({ environment }).values.dataDir).toBe(dataDir);
  });
});

it("puts the spool into a data directory that was set", () => {
  const { values } = resolveOptions({
    environment: { PLIMSOLL_DATA_DIR: "data" },
    cwd: "/project",
  });
  expect(values).toMatchObject({ dataDir: "/project/data", spoolDir: "/project/data/spool" });
});

it("lets flags win over PLIMSOLL_ variables, K6_ variables, the file and the default", () => {
  const layers = [
    ["--push-interval", { flags: { pushIntervalMs: { flag: "--push-interval", value: "5s" } } }],
    ["PLIMSOLL_PUSH_INTERVAL", { environment: { PLIMSOLL_PUSH_INTERVAL: "4s" } }],
    ["K6_PROMETHEUS_RW_PUSH_INTERVAL", { environment: { K6_PROMETHEUS_RW_PUSH_INTERVAL: "3s" } }],
    ["plimsoll.yaml", { file: toFile({ pushInterval: "2s" }) }],
    ["default", {}],
  ] as const;
  for (const [index, [source]] of layers.entries()) {
    const lower: readonly OptionSources[] = layers.slice(index).map(([, sources]) => sources);
    const merged = {
      ...Object.assign({}, ...lower.toReversed()),
      environment: Object.assign({}, ...lower.map(({ environment }) => environment)),
    };
    const { values, sources } = resolveOptions(merged);
    expect(values.pushIntervalMs).toBe(5_000 - index * 1_000);
    expect(sources.pushIntervalMs.name).toBe(source);
  }
});

it("takes an option whole, from one source", () => {
  const { values } = resolveOptions({
    flags: { tags: { flag: "--tag", value: ["a=1"] } },
    file: toFile({ tags: { b: "2" } }),
  });
  expect(values.tags).toEqual(new Map([["a", "1"]]));
});

it("takes the URL in prometheus-rw=URL from every source, where it wins over the same source's own", () => {
  const url = (host: string) => `http://${host}/api/v1/write`;
  const file = toFile({
    out: ["json=a.json", `prometheus-rw=${url("file")}`],
    remoteWriteUrl: url("no"),
  });
  const variables = {
    PLIMSOLL_OUT: `json=a.json, prometheus-rw=${url("variable")}`,
    K6_PROMETHEUS_RW_SERVER_URL: url("no"),
  };
  const flags = { out: { flag: "--out", value: [`prometheus-rw=${url("flag")}`] } };
  const found = (sources: OptionSources) => {
    const { values, sources: from } = resolveOptions(sources);
    return [values.url, from.url.name];
  };
  expect(found({ file })).toEqual([url("file"), "plimsoll.yaml"]);
  expect(found({ file, environment: variables })).toEqual([url("variable"), "PLIMSOLL_OUT"]);
  expect(found({ file, environment: variables, flags })).toEqual([
    url("flag"),
    "--out prometheus-rw",
  ]);
  const named = {
    PLIMSOLL_OUT: "prometheus-rw,json=a.json",
    PLIMSOLL_REMOTE_WRITE_URL: url("own"),
  };
  expect(found({ file, environment: named })).toEqual([url("own"), "PLIMSOLL_REMOTE_WRITE_URL"]);
  const [problem, ...others] = problemsOf({
    environment: { PLIMSOLL_OUT: "prometheus-rw=ftp://a:secret@prom" },
  });
  expect(problem).toContain("PLIMSOLL_OUT");
  expect(problem).not.toContain("secret");
  expect(others).toEqual([]);
});

it("does not mind a bad value that another source replaces", () => {
  const { values } = resolveOptions({
    environment: { K6_PROMETHEUS_RW_PUSH_INTERVAL: "10ms", PLIMSOLL_PUSH_INTERVAL: "100ms" },
  });
  expect(values.pushIntervalMs).toBe(100);
});

it("takes an empty variable and an empty key as absent", () => {
  const { sources } = resolveOptions({
    environment: { PLIMSOLL_PUSH_INTERVAL: "", K6_PROMETHEUS_RW_HTTP_HEADERS: "", PLIMSOLL_X: "" },
    file: toFile({ trends: "", test: null }),
  });
  expect(sources).toMatchObject({
    pushIntervalMs: { name: "default" },
    headers: { name: "default" },
    trends: { name: "default" },
    test: { name: "default" },
  });
});

it("reads every option alike from a variable and from the file", () => {
  const examples: Readonly<Record<OptionName, string>> = {
    testid: "run-1",
    test: "checkout",
    tags: "a=1,b=x=y",
    out: "prometheus-rw=http://prom/w,json=out.json",
    url: "https://prom/w",
    username: "ann",
    password: "p",
    passwordFile: "/password",
    bearerToken: "t",
    bearerTokenFile: "/token",
    authorizationType: "Token",
    oauth2ClientId: "plimsoll",
    oauth2ClientSecret: "s",
    oauth2ClientSecretFile: "/secret",
    oauth2TokenUrl: "https://login/token",
    oauth2Scopes: "metrics:write, https://a/.default",
    oauth2EndpointParams: "audience=metrics",
    oauth2TlsCaFile: "/login-ca.pem",
    sigv4Region: "eu-west-1",
    sigv4AccessKey: "AKIDEXAMPLE",
    sigv4SecretKey: "k",
    sigv4Profile: "load-tests",
    sigv4RoleArn: "arn:aws:iam::123456789012:role/load-tests",
    headers: "X-Scope-OrgID: team, X-B: http://b",
    timeoutMs: "5s",
    proxyUrl: "http://proxy:3128",
    protocol: "2",
    insecureSkipTlsVerify: "true",
    tlsMinVersion: "1.3",
    tlsCaFile: "/ca.pem",
    clientCertificate: "/cert.pem",
    clientCertificateKey: "/key.pem",
    preflight: "false",
    pushIntervalMs: "500",
    latenessMs: "1s",
    trends: "classic",
    trendStats: "count, p(99.9)",
    staleMarkers: "0",
    maxSeries: "10",
    nameTemplates: "/products/{id},auto",
    writeRelabelConfigs: "",
    dataDir: "/data",
    spoolDir: "/spool",
    spoolLimitBytes: "512MiB",
    queues: "4",
    sampleAgeLimitMs: "1h",
    drainTimeoutMs: "1m",
    metricsListen: "[::1]:9464",
    listen: ":6460",
    publicUrl: "https://k6.test",
    grafanaUrl: "https://grafana.example",
    peerUrl: "http://10.0.0.5:6460",
    queryUrl: "https://mimir.test/prometheus",
    databaseUrl: "postgresql://ann:p@db.test/plimsoll",
    trustedProxies: "10.0.0.0/8, ::1",
    tlsCertificateFile: "/server.pem",
    tlsKeyFile: "/server.key",
    runTimeoutMs: "30s",
    server: "https://k6.test",
    token: "plm_t",
  };
  // Options that exclude each other are tried one by one; what they lack stands beside them.
  const companionsOf = (name: OptionName): RawMap => {
    if (name.startsWith("bearer")) return {};
    if (name.startsWith("authorization")) return { bearerToken: "t" };
    if (name.startsWith("oauth2ClientSecret"))
      return { oauth2ClientId: "c", oauth2TokenUrl: "http://t" };
    if (name.startsWith("oauth2"))
      return { oauth2ClientId: "c", oauth2ClientSecret: "s", oauth2TokenUrl: "http://t" };
    if (name === "sigv4Profile") return { sigv4Region: "r" };
    if (name.startsWith("sigv4"))
      return { sigv4Region: "r", sigv4AccessKey: "a", sigv4SecretKey: "k" };
    if (name === "tlsCertificateFile" || name === "tlsKeyFile")
      return { tlsCertificateFile: "/c", tlsKeyFile: "/k" };
    return { username: "ann", clientCertificate: "/c", clientCertificateKey: "/k" };
  };
  let compared = 0;
  for (const { name, variable, key } of optionRows.filter(({ name }) => examples[name] !== "")) {
    const companions = companionsOf(name);
    const flags = toFlags(companions);
    const fromVariable = resolveOptions({ flags, environment: { [variable]: examples[name] } });
    const fromFile = resolveOptions({ flags, file: toFile({ [key]: examples[name] }) });
    expect(fromFile.values[name]).toEqual(fromVariable.values[name]);
    if (!(name in companions)) {
      expect(fromVariable.sources[name]).toEqual({ kind: "variable", name: variable });
      expect(fromFile.sources[name]).toEqual({ kind: "file", name: "plimsoll.yaml" });
    }
    compared += 1;
  }
  expect(compared).toBe(optionRows.length - 1);
});

function toFlags(values: RawMap): NonNullable<OptionSources["flags"]> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { flag: `--${name}`, value }]),
  );
}

describe("K6_PROMETHEUS_RW_ variables", () => {
  it.each<[string, string, OptionName, unknown]>([
    ["SERVER_URL", "https://prom/w", "url", "https://prom/w"],
    ["PUSH_INTERVAL", "5s", "pushIntervalMs", 5_000],
    ["PUSH_INTERVAL", "2500", "pushIntervalMs", 2_500],
    ["TREND_STATS", "p(95), count", "trendStats", ["p(95)", "count"]],
    ["TREND_AS_NATIVE_HISTOGRAM", "true", "trends", "native"],
    ["TREND_AS_NATIVE_HISTOGRAM", "F", "trends", "none"],
    ["STALE_MARKERS", "0", "staleMarkers", false],
    ["USERNAME", "ann", "username", "ann"],
    ["BEARER_TOKEN", "t", "bearerToken", "t"],
    ["HTTP_HEADERS", "A:1,B:2", "headers", new Map([["A", "1"], ["B", "2"]])], // prettier-ignore
    ["HEADERS_X-A", "1:2,3", "headers", new Map([["X-A", "1:2,3"]])],
    ["INSECURE_SKIP_TLS_VERIFY", "true", "insecureSkipTlsVerify", true],
    ["TLS_MINIMUM_VERSION", "1.2", "tlsMinVersion", "1.2"],
    ["TLS_MINIMUM_VERSION", "1.1", "tlsMinVersion", "1.3"],
  ])("honours %s=%s", (suffix, text, name, value) => {
    const variable = `K6_PROMETHEUS_RW_${suffix}`;
    const { values, sources } = resolveOptions({ environment: { [variable]: text } });
    expect(values[name]).toEqual(value);
    expect(sources[name]).toEqual({ kind: "variable", name: variable });
  });

  it("merges both forms of headers, of which the list wins", () => {
    const { values } = resolveOptions({
      environment: {
        K6_PROMETHEUS_RW_HTTP_HEADERS: "X-A:list",
        "K6_PROMETHEUS_RW_HEADERS_x-a": "single",
        "K6_PROMETHEUS_RW_HEADERS_X-B": "single",
      },
    });
    expect([...values.headers]).toEqual([
      ["X-A", "list"],
      ["X-B", "single"],
    ]);
  });

  it("honours those of SigV4, which go together", () => {
    const environment = {
      K6_PROMETHEUS_RW_SIGV4_REGION: "eu-west-1",
      K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY: "AKIDEXAMPLE",
      K6_PROMETHEUS_RW_SIGV4_SECRET_KEY: "s3cret",
    };
    expect(resolveOptions({ environment }).values).toMatchObject({
      sigv4Region: "eu-west-1",
      sigv4AccessKey: "AKIDEXAMPLE",
      sigv4SecretKey: "s3cret",
    });
    expect(
      problemsOf({ environment: { ...environment, K6_PROMETHEUS_RW_SIGV4_REGION: "" } }),
    ).toEqual([
      "K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY (from environment): is given without a region: " +
        "set --remote-write-sigv4-region",
    ]);
  });
});

describe("names that are no options", () => {
  it.each([
    ["PLIMSOLL_PUSH_INTERVALL", ' (did you mean "PLIMSOLL_PUSH_INTERVAL"?)'],
    ["PLIMSOLL_URL", ' (did you mean "PLIMSOLL_REMOTE_WRITE_URL"?)'],
    ["PLIMSOLL_COLOUR", ""],
  ])("refuses the variable %s", (variable, suggestion) => {
    expect(problemsOf({ environment: { [variable]: "x" } })).toEqual([
      `${variable} (from environment): is not an option${suggestion}`,
    ]);
  });

  it("refuses an unknown variable of k6's Prometheus output", () => {
    expect(problemsOf({ environment: { K6_PROMETHEUS_RW_URL: "x" } })).toEqual([
      "K6_PROMETHEUS_RW_URL (from environment): is not an option of k6's Prometheus output " +
        '(did you mean "K6_PROMETHEUS_RW_SERVER_URL"?)',
    ]);
  });

  it("refuses an unknown key", () => {
    expect(problemsOf({ file: toFile({ push_interval: "5s" }) })).toEqual([
      'push_interval (from plimsoll.yaml): is not an option (did you mean "pushInterval"?)',
    ]);
  });

  it.each([
    "PLIMSOLL_UP_PORT_OFFSET",
    "PLIMSOLL_UP_RETENTION",
    "PLIMSOLL_UP_SCRAPE_INTERVAL",
    "PLIMSOLL_CACHE",
    "PLIMSOLL_TOOL_K6_2",
  ])("leaves %s to those who read it", (variable) => {
    expect(problemsOf({ environment: { [variable]: "1" } })).toEqual([]);
  });

  it("leaves variables alone that are others'", () => {
    const environment = {
      PLIMSOLL_CONFIG_FILE: "x",
      PLIMSOLL_TOOL_K6_2: "x",
      K6_OUT: "x",
      PATH: "x",
    };
    expect(problemsOf({ environment })).toEqual([]);
  });
});

describe("values", () => {
  it.each<[OptionName, RawValue, string]>([
    ["url", "localhost:9090", "is not a URL that can be pushed to"],
    ["url", "ftp://prom/", "is not a URL that can be pushed to"],
    ["url", ["http://a/", "http://b/"], "expected one value"],
    ["pushIntervalMs", "soon", '"soon" is not a duration'],
    ["pushIntervalMs", "99ms", '"99ms" is less than 100ms'],
    ["pushIntervalMs", "11m", '"11m" is more than 10m'],
    ["pushIntervalMs", "100.5ms", '"100.5ms" is not a whole number of milliseconds'],
    ["maxSeries", "0", '"0" is less than 1'],
    ["maxSeries", "1e5", '"1e5" is not a whole number'],
    ["spoolLimitBytes", "1kB", '"1kB" is less than 1MiB'],
    ["protocol", "3", '"3" is not one of auto, 1, 2'],
    ["trends", "Native", '"Native" is not one of auto, native, classic, none'],
    ["staleMarkers", "yes", '"yes" is not a boolean: expected "true" or "false"'],
    ["test", "", "is empty"],
    ["metricsListen", "9464", '"9464" is not an address'],
    ["metricsListen", "localhost:65536", '"localhost:65536" is not an address'],
    ["nameTemplates", "products/{id}", '"products/{id}" is not a name template'],
    ["nameTemplates", "/products/{id", "is not a name template"],
    ["nameTemplates", "/products?id={id}", "is not a name template"],
    ["trendStats", "p99", '"p99" is not a trend stat'],
    ["trendStats", "p(101)", '"p(101)" is not a trend stat'],
    ["trendStats", "p(99.9),p(9.99)", 'p(99.9) and p(9.99) would both be stored as "p999"'],
    ["tags", "novalue", 'item 1 has no "=" after its name'],
    ["tags", "=1", "has a tag without a name"],
    ["tags", { a: ["1"] }, '"a" has no text as its value'],
    ["out", "Prometheus RW", '"Prometheus RW" is not an output: expected "NAME" or "NAME=ARG"'],
    ["out", { a: "b" }, "expected a list of texts"],
    ["headers", ["Host: x"], 'header "Host" is reserved for the protocol'],
    ["headers", ["X-Amz-Date: x"], 'header "X-Amz-Date" is reserved for the protocol'],
    [
      "headers",
      ["tRANSFER-eNCODING: x"],
      'header "tRANSFER-eNCODING" is reserved for the protocol',
    ],
    ["headers", ["authorization: x"], "is set by the options for authentication"],
    ["proxyUrl", "proxy:3128", "is not a URL of a proxy: expected one such as"],
    ["headers", ["A B: x"], '"A B" is not the name of a header'],
    ["headers", { A: "x\ny" }, 'header "A" has a value with forbidden characters'],
    ["headers", ["A: 1", "a: 2"], 'header "a" is given twice'],
    ["writeRelabelConfigs", "/no/rules.yaml", 'cannot read "/no/rules.yaml"'],
    ["writeRelabelConfigs", { a: "b" }, "expected a list of rules, or a file's path"],
  ])("refuses %s %j", (name, value, message) => {
    const problems = problemsOf({ flags: { [name]: { flag: "--flag", value } } });
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems[0]).toMatch(/^--flag \(from flags\): /);
  });

  it.each<[OptionName, RawValue, unknown]>([
    ["trendStats", "p(99),p(99)", ["p(99)"]],
    ["trendStats", "p(99.9), p(95) ,med", ["p(99.9)", "p(95)", "med"]],
    ["trendStats", [], []],
    ["headers", ["X-A: a,b:c"], new Map([["X-A", "a,b:c"]])],
    ["tags", ["a=b,c=d"], new Map([["a", "b,c=d"]])],
    ["tags", { v: "1.10" }, new Map([["v", "1.10"]])],
    ["metricsListen", ":0", { host: "::", port: 0 }],
    ["metricsListen", "127.0.0.1:9464", { host: "127.0.0.1", port: 9464 }],
    ["passwordFile", "secrets/p", "/project/secrets/p"],
  ])("takes %s %j as %j", (name, value, expected) => {
    const sources = { flags: { [name]: { flag: "--flag", value } }, cwd: "/project" };
    const username = { flags: { ...sources.flags, username: { flag: "-u", value: "ann" } } };
    expect(resolveOptions({ ...sources, ...username }).values[name]).toEqual(expected);
  });

  it("starts relative paths of the file at the file", () => {
    const file = { ...toFile({ dataDir: "data" }), directory: "/elsewhere" };
    expect(resolveOptions({ file, cwd: "/project" }).values.dataDir).toBe("/elsewhere/data");
  });
});

describe("credentials", () => {
  const given = (values: RawMap) => problemsOf({ file: toFile(values) });

  it("takes them from the URL, as k6 does, and leaves it without", () => {
    const { values, sources } = resolveOptions({
      environment: { K6_PROMETHEUS_RW_SERVER_URL: "https://ann:p%40ss@prom:9090/w?x=1" },
    });
    expect(values).toMatchObject({
      url: "https://prom:9090/w?x=1",
      username: "ann",
      password: "p@ss",
    });
    expect(sources.password.name).toBe("K6_PROMETHEUS_RW_SERVER_URL");
  });

  it.each<[string, RawMap, string]>([
    [
      "two methods",
      { remoteWriteUsername: "ann", remoteWriteBearerToken: "s3cret" },
      "remoteWriteBearerToken (from plimsoll.yaml): is a second method of authentication beside " +
        "remoteWriteUsername (from plimsoll.yaml): the receiver takes one",
    ],
    [
      "two passwords",
      {
        remoteWriteUsername: "ann",
        remoteWritePassword: "s3cret",
        remoteWritePasswordFile: "p",
      },
      "remoteWritePassword (from plimsoll.yaml): is given and " +
        "remoteWritePasswordFile (from plimsoll.yaml) too: remove one of them",
    ],
    [
      "two tokens",
      { remoteWriteBearerToken: "s3cret", remoteWriteBearerTokenFile: "t" },
      "remoteWriteBearerToken (from plimsoll.yaml): is given and " +
        "remoteWriteBearerTokenFile (from plimsoll.yaml) too: remove one of them",
    ],
    [
      "a password without a user",
      { remoteWritePassword: "s3cret" },
      "remoteWritePassword (from plimsoll.yaml): is given without a user name: " +
        "set --remote-write-username",
    ],
    [
      "user-info beside a user name",
      { remoteWriteUrl: "http://bob:s3cret@prom/", remoteWriteUsername: "ann" },
      "remoteWriteUrl (from plimsoll.yaml): has user-info, and " +
        "remoteWriteUsername (from plimsoll.yaml) is given too: remove one of them",
    ],
    [
      "user-info that cannot be decoded",
      { remoteWriteUrl: "http://bob:s3cret%zz@prom/" },
      "remoteWriteUrl (from plimsoll.yaml): has user-info with a % that is not an escape",
    ],
    [
      "a certificate without its key",
      { remoteWriteClientCertificate: "c.pem" },
      "remoteWriteClientCertificate (from plimsoll.yaml): is given without its key: " +
        "set --remote-write-client-certificate-key",
    ],
    [
      "a key without its certificate",
      { remoteWriteClientCertificateKey: "k.pem" },
      "remoteWriteClientCertificateKey (from plimsoll.yaml): is given without its certificate: " +
        "set --remote-write-client-certificate",
    ],
    [
      "a scheme without a token",
      { remoteWriteAuthorizationType: "Token" },
      "remoteWriteAuthorizationType (from plimsoll.yaml): is given without a token: " +
        "set --remote-write-bearer-token-file",
    ],
    [
      "SigV4 beside a user name",
      { remoteWriteSigv4Region: "eu-west-1", remoteWriteUsername: "ann" },
      "remoteWriteSigv4Region (from plimsoll.yaml): is a second method of authentication beside " +
        "remoteWriteUsername (from plimsoll.yaml): the receiver takes one",
    ],
    [
      "a profile beside a key",
      {
        remoteWriteSigv4Region: "eu-west-1",
        remoteWriteSigv4AccessKey: "a",
        remoteWriteSigv4SecretKey: "s3cret",
        remoteWriteSigv4Profile: "p",
      },
      "remoteWriteSigv4AccessKey (from plimsoll.yaml): is given and " +
        "remoteWriteSigv4Profile (from plimsoll.yaml) too: remove one of them",
    ],
    [
      "half a key",
      { remoteWriteSigv4Region: "eu-west-1", remoteWriteSigv4SecretKey: "s3cret" },
      "remoteWriteSigv4SecretKey (from plimsoll.yaml): is given without its access key: " +
        "set --remote-write-sigv4-access-key",
    ],
  ])("refuses %s", (_, values, problem) => {
    expect(given(values)).toEqual([problem]);
  });

  it("names all that OAuth2 lacks, at once", () => {
    expect(given({ remoteWriteOauth2Scopes: ["a"] })).toEqual([
      "remoteWriteOauth2Scopes (from plimsoll.yaml): is given without a token endpoint: " +
        "set --remote-write-oauth2-token-url",
      "remoteWriteOauth2Scopes (from plimsoll.yaml): is given without a client id: " +
        "set --remote-write-oauth2-client-id",
      "remoteWriteOauth2Scopes (from plimsoll.yaml): is given without a client secret: " +
        "set --remote-write-oauth2-client-secret-file",
    ]);
  });

  it.each<RawMap>([
    { remoteWriteUrl: "htp://ann:s3cret@prom/w?token=s3cret" },
    { remoteWritePassword: ["s3cret"] },
    { remoteWriteBearerToken: { s3cret: "s3cret" } },
    { remoteWriteHeaders: ["s3cret"] },
    { remoteWriteHeaders: { "X-A": "s3cret\n" } },
    { remoteWriteHeaders: { Authorization: "s3cret" } },
    { remoteWriteAuthorizationType: "Bearer s3cret" },
    { remoteWriteProxyUrl: "socks://ann:s3cret@proxy" },
    { remoteWriteOauth2EndpointParams: ["s3cret"] },
    { out: ["=http://ann:s3cret@prom/"] },
  ])("are not part of the message about %j", (values) => {
    const problems = given(values);
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain("s3cret");
  });
});

describe("relabel rules", () => {
  const rules = [{ action: "drop", regex: "1.10" }];

  it("are taken from the file as they are", () => {
    const { values } = resolveOptions({ file: toFile({ writeRelabelConfigs: rules }) });
    expect(values.writeRelabelConfigs).toEqual({ source: "plimsoll.yaml", rules });
  });

  it.each([
    ["a list", "- {action: drop, regex: 1.10}\n"],
    ["a Prometheus fragment", "write_relabel_configs: [{action: drop, regex: 1.10}]\n"],
  ])("are read from a file of their own with %s", async (_, yaml) => {
    await using folder = await createTemporaryFolder();
    await writeFile(join(folder.path, "rules.yaml"), yaml);
    const environment = { PLIMSOLL_RELABEL_CONFIG: "rules.yaml" };
    const { values } = resolveOptions({ environment, cwd: folder.path });
    expect(values.writeRelabelConfigs).toEqual({ source: join(folder.path, "rules.yaml"), rules });
  });

  it.each([
    ["no list", "drop: everything\n", "has no list of rules"],
    ["nothing", "", "has no list of rules"],
    ["broken YAML", "[", "is not valid YAML"],
  ])("are refused in a file with %s", async (_, yaml, message) => {
    await using folder = await createTemporaryFolder();
    await writeFile(join(folder.path, "rules.yaml"), yaml);
    const environment = { PLIMSOLL_RELABEL_CONFIG: "rules.yaml" };
    expect(problemsOf({ environment, cwd: folder.path })).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it("are checked by who understands them, with the other problems", () => {
    const problem = { option: "rule", message: "is odd", source: "plimsoll.yaml" };
    const sources = { file: toFile({ writeRelabelConfigs: rules, trends: "x" }) };
    const resolve = () =>
      resolveOptions(sources, () => {
        throw new ConfigError([problem]);
      });
    expect(resolve).toThrow("rule (from plimsoll.yaml): is odd");
    expect(resolve).toThrow('trends (from plimsoll.yaml): "x" is not one of');
  });
});

it("reports every problem at once, each with its source", () => {
  const problems = problemsOf({
    flags: { protocol: { flag: "--remote-write-protocol", value: "3" } },
    environment: { PLIMSOLL_TRENDS: "x", K6_PROMETHEUS_RW_STALE_MARKERS: "x", PLIMSOLL_NONE: "x" },
    file: toFile({ maxSeries: "x", colour: "x" }),
  });
  expect(problems.map((problem) => problem.replace(/\):.*/, ")")).sort()).toEqual([
    "--remote-write-protocol (from flags)",
    "K6_PROMETHEUS_RW_STALE_MARKERS (from environment)",
    "PLIMSOLL_NONE (from environment)",
    "PLIMSOLL_TRENDS (from environment)",
    "colour (from plimsoll.yaml)",
    "maxSeries (from plimsoll.yaml)",
  ]);
});
