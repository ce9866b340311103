/**
 * Every option: how it is spelled in each source, its kind, default and meaning.
 *
 * The flags of the commands, the reading of variables and of plimsoll.yaml, `plimsoll config` and
 * docs/options.md all come from this table. Connection options are prefixed, because a load test has
 * two connections, and `--header` or `--insecure-skip-tls-verify` alone mean the one to the target.
 *
 * Source of the `K6_PROMETHEUS_RW_*` variables: k6, `internal/output/prometheusrw/remotewrite/config.go`.
 */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { headers, nameTemplates, outputs, relabelConfigs, tags, trendStats } from "./list-kinds.ts";
import {
  boolean,
  byteSize,
  duration,
  httpUrl,
  listenAddress,
  oneOf,
  optional,
  parseBoolean,
  path,
  text,
  wholeNumber,
  type OptionKind,
} from "./option-kinds.ts";
import type { OptionName, Options } from "./options.ts";

export type OptionGroup = "run" | "prometheus-rw";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a default may depend on. */
export interface DefaultContext {
  readonly environment: Environment;
  /** Resolved before the default of `spoolDir` is asked for. */
  readonly dataDir: string;
}

export interface OptionRow<Value> {
  readonly group: OptionGroup;
  /** The long flag; a boolean also has a `--no-` form. */
  readonly flag: string;
  /** One letter with its dash, where k6 has it too and people's fingers know it. */
  readonly short?: string;
  readonly variable: string;
  /** The key in plimsoll.yaml. */
  readonly key: string;
  readonly k6?: K6Variable;
  readonly kind: OptionKind<Value>;
  readonly toDefault: (context: DefaultContext) => Value;
  /** The default in words, where it is computed. */
  readonly defaultText?: string;
  readonly description: string;
  /** Masked wherever it is shown, and never part of a message. */
  readonly secret: boolean;
}

export interface K6Variable {
  readonly name: string;
  /** Variables that begin so hold one item each, named by what follows; `name` wins on a clash. */
  readonly itemPrefix?: string;
  /** From k6's spelling to ours. @throws UsageError */
  readonly translate?: (text: string) => string;
}

export type OptionTable = { readonly [Name in OptionName]: OptionRow<Options[Name]> };

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const mebibyte = 2 ** 20;

export const optionTable: OptionTable = {
  testid: {
    ...spelled("testid"),
    group: "run",
    kind: optional(text("id")),
    toDefault: () => undefined,
    defaultText: "made for each run",
    description: "the run's id, label `testid` of every series",
    secret: false,
  },
  test: {
    ...spelled("test"),
    group: "run",
    kind: optional(text("name")),
    toDefault: () => undefined,
    defaultText: "made from what is run",
    description: "the run's name, label `test` of every series",
    secret: false,
  },
  tags: {
    ...spelled("tags"),
    flag: "--tag",
    group: "run",
    kind: tags,
    toDefault: () => new Map(),
    description: "a label for every series; may be repeated",
    secret: false,
  },
  out: {
    ...spelled("out"),
    short: "-o",
    group: "run",
    kind: outputs,
    toDefault: () => ["prometheus-rw"],
    description:
      "where samples go: `prometheus-rw`, always, and e.g. `json=FILE` beside it; may be repeated",
    secret: false,
  },
  url: {
    ...spelled("remote-write-url"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_SERVER_URL" },
    kind: httpUrl,
    toDefault: () => "http://localhost:9090/api/v1/write",
    description: "remote-write endpoint; user-info in it is used for basic authentication",
    secret: false,
  },
  username: {
    ...spelled("remote-write-username"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_USERNAME" },
    kind: optional(text("name")),
    toDefault: () => undefined,
    description: "user name for basic authentication",
    secret: false,
  },
  password: {
    ...spelled("remote-write-password"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_PASSWORD" },
    kind: optional(text("password")),
    toDefault: () => undefined,
    description: "password for basic authentication",
    secret: true,
  },
  passwordFile: {
    ...spelled("remote-write-password-file"),
    group: "prometheus-rw",
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "file that holds the password",
    secret: false,
  },
  bearerToken: {
    ...spelled("remote-write-bearer-token"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_BEARER_TOKEN" },
    kind: optional(text("token")),
    toDefault: () => undefined,
    description: "token for bearer authentication",
    secret: true,
  },
  bearerTokenFile: {
    ...spelled("remote-write-bearer-token-file"),
    group: "prometheus-rw",
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "file that holds the bearer token",
    secret: false,
  },
  headers: {
    ...spelled("remote-write-headers"),
    flag: "--remote-write-header",
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_HTTP_HEADERS", itemPrefix: "K6_PROMETHEUS_RW_HEADERS_" },
    kind: headers,
    toDefault: () => new Map(),
    description: "a header for each request, e.g. `X-Scope-OrgID:team`; may be repeated",
    secret: true,
  },
  timeoutMs: {
    ...spelled("remote-write-timeout"),
    group: "prometheus-rw",
    kind: duration(100, 10 * minute),
    // As Prometheus' sender; k6's 5 s gives up on a receiver that is only slow.
    toDefault: () => 30 * second,
    description: "time for one request and its answer",
    secret: false,
  },
  protocol: {
    ...spelled("remote-write-protocol"),
    group: "prometheus-rw",
    kind: oneOf("auto", "1", "2"),
    toDefault: () => "auto",
    description: "remote-write version; `auto` tries 2.0 and falls back to 1.0",
    secret: false,
  },
  insecureSkipTlsVerify: {
    ...spelled("remote-write-insecure-skip-tls-verify"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY" },
    kind: boolean,
    toDefault: () => false,
    description: "trust any certificate of the receiver",
    secret: false,
  },
  tlsMinVersion: {
    ...spelled("remote-write-tls-min-version"),
    group: "prometheus-rw",
    k6: {
      name: "K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION",
      // In k6 anything but "1.2" means its default.
      translate: (version) => (version === "1.2" ? "1.2" : "1.3"),
    },
    kind: oneOf("1.2", "1.3"),
    toDefault: () => "1.2",
    description: "oldest TLS version to speak (k6's default is 1.3)",
    secret: false,
  },
  tlsCaFile: {
    ...spelled("remote-write-tls-ca-file"),
    group: "prometheus-rw",
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "PEM file with the authorities to trust instead of the public ones",
    secret: false,
  },
  clientCertificate: {
    ...spelled("remote-write-client-certificate"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE" },
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "PEM file with the client's certificate",
    secret: false,
  },
  clientCertificateKey: {
    ...spelled("remote-write-client-certificate-key"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY" },
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "PEM file with the key of the client's certificate",
    secret: false,
  },
  preflight: {
    ...spelled("preflight"),
    group: "prometheus-rw",
    kind: boolean,
    toDefault: () => true,
    description: "insist that the receiver takes samples before the run starts",
    secret: false,
  },
  pushIntervalMs: {
    ...spelled("push-interval"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_PUSH_INTERVAL" },
    kind: duration(100, 10 * minute),
    toDefault: () => second,
    description: "time between pushes, and distance of the points stored (k6's default is 5s)",
    secret: false,
  },
  latenessMs: {
    ...spelled("lateness"),
    group: "prometheus-rw",
    kind: duration(0, 10 * minute),
    toDefault: () => 250,
    description: "how long an interval waits for late samples; later ones count in the next one",
    secret: false,
  },
  trends: {
    ...spelled("trends"),
    group: "prometheus-rw",
    k6: {
      name: "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM",
      // "false" is k6's other mode: gauges for the trend stats, no histograms.
      translate: (enabled) => (parseBoolean(enabled) ? "native" : "none"),
    },
    kind: oneOf("auto", "native", "classic", "none"),
    toDefault: () => "auto",
    description:
      "histograms for trends; `auto` is native, or classic where the store refuses those",
    secret: false,
  },
  trendStats: {
    ...spelled("trend-stats"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_TREND_STATS" },
    kind: trendStats,
    toDefault: () => ["p(99)"],
    description: "gauges for trends besides: `count`, `sum`, `min`, `max`, `avg`, `med`, `p(N)`",
    secret: false,
  },
  staleMarkers: {
    ...spelled("stale-markers"),
    group: "prometheus-rw",
    k6: { name: "K6_PROMETHEUS_RW_STALE_MARKERS" },
    kind: boolean,
    toDefault: () => true,
    description:
      "end every series with the run, not five minutes later (k6's default: it does not)",
    secret: false,
  },
  maxSeries: {
    ...spelled("max-series"),
    group: "prometheus-rw",
    kind: wholeNumber(1, 100_000_000),
    toDefault: () => 100_000,
    description: 'above so many series, samples go to one with `name="(other)"`',
    secret: false,
  },
  nameTemplates: {
    ...spelled("name-templates"),
    flag: "--name-template",
    group: "prometheus-rw",
    kind: nameTemplates,
    toDefault: () => [],
    description:
      "one name for the URLs of one endpoint, e.g. `/products/{id}`; `auto` recognises ids; may be repeated",
    secret: false,
  },
  writeRelabelConfigs: {
    ...spelled("write-relabel-configs"),
    flag: "--relabel-config",
    variable: "PLIMSOLL_RELABEL_CONFIG",
    group: "prometheus-rw",
    kind: relabelConfigs,
    toDefault: () => ({ source: "default", rules: [] }),
    description: "rules in the syntax of Prometheus' `write_relabel_configs`",
    secret: false,
  },
  dataDir: {
    ...spelled("data-dir"),
    group: "prometheus-rw",
    kind: path("directory"),
    toDefault: ({ environment }) => join(toDataHome(environment), "plimsoll"),
    defaultText: "`$XDG_DATA_HOME/plimsoll` or `~/.local/share/plimsoll`",
    description: "where Plimsoll keeps its files",
    secret: false,
  },
  spoolDir: {
    ...spelled("spool-dir"),
    group: "prometheus-rw",
    kind: path("directory"),
    toDefault: ({ dataDir }) => join(dataDir, "spool"),
    defaultText: "`spool` in the data directory",
    description: "where requests wait until the receiver has them",
    secret: false,
  },
  spoolLimitBytes: {
    ...spelled("spool-limit"),
    group: "prometheus-rw",
    kind: byteSize(mebibyte),
    toDefault: () => 1024 * mebibyte,
    description: "size that the spool may have; what does not fit is dropped and counted",
    secret: false,
  },
  drainTimeoutMs: {
    ...spelled("drain-timeout"),
    group: "prometheus-rw",
    kind: duration(0, day),
    toDefault: () => 30 * second,
    description: "time at the end of a run to deliver what is spooled",
    secret: false,
  },
  metricsListen: {
    ...spelled("metrics-listen"),
    group: "prometheus-rw",
    kind: optional(listenAddress),
    toDefault: () => undefined,
    description: "address to serve Plimsoll's own metrics at, e.g. `localhost:9464`",
    secret: false,
  },
};

export interface NamedRow extends OptionRow<unknown> {
  readonly name: OptionName;
}

/** The rows in the order of the docs. */
export const optionRows: readonly NamedRow[] = Object.entries(optionTable).map(([name, row]) => ({
  // The table's type has no other names.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  name: name as OptionName,
  ...row,
}));

/** The default in words, the same on every machine. */
export function toDefaultText({ defaultText, kind, toDefault }: OptionRow<unknown>): string {
  return defaultText ?? kind.format(toDefault({ environment: {}, dataDir: "" }));
}

/** `push-interval` is `--push-interval`, `PLIMSOLL_PUSH_INTERVAL` and `pushInterval`. */
function spelled(name: string): { flag: string; variable: string; key: string } {
  return {
    flag: `--${name}`,
    variable: `PLIMSOLL_${name.replaceAll("-", "_").toUpperCase()}`,
    key: name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  };
}

/** Source: XDG Base Directory Specification 0.8: a relative path in the variable is ignored. */
function toDataHome(environment: Environment): string {
  const dataHome = environment["XDG_DATA_HOME"] ?? "";
  return isAbsolute(dataHome)
    ? dataHome
    : join(environment["HOME"] ?? homedir(), ".local", "share");
}
