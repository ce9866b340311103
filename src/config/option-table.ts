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
import { connectionRows } from "./connection-rows.ts";
import { clientRows, serverRows } from "./server-rows.ts";
import { nameTemplates, outputs, relabelConfigs, tags, trendStats } from "./list-kinds.ts";
import {
  boolean,
  byteSize,
  duration,
  listenAddress,
  oneOf,
  optional,
  parseBoolean,
  path,
  text,
  wholeNumber,
} from "./option-kinds.ts";
import { spelled, type Environment, type OptionRow } from "./option-row.ts";
import type { OptionName, Options } from "./options.ts";

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
    k6: { name: "K6_CLOUD_NAME" },
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
  ...connectionRows,
  protocol: {
    ...spelled("remote-write-protocol"),
    group: "prometheus-rw",
    kind: oneOf("auto", "1", "2"),
    toDefault: () => "auto",
    description: "remote-write version; `auto` tries 2.0 and falls back to 1.0",
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
  queues: {
    ...spelled("remote-write-queues"),
    group: "prometheus-rw",
    kind: wholeNumber(1, 16),
    toDefault: () => 1,
    description: "requests under way at a time, each with series of its own; for a slow receiver",
    secret: false,
  },
  sampleAgeLimitMs: {
    ...spelled("remote-write-sample-age-limit"),
    group: "prometheus-rw",
    kind: duration(0, 365 * day),
    // As Prometheus' `sample_age_limit`: how old a sample may be is for the store to say, and runs of last year
    // can be ingested.
    toDefault: () => 0,
    description: "drop and count what is older when it could be sent; `0s` is no limit",
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
  ...serverRows,
  ...clientRows,
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

/** Source: XDG Base Directory Specification 0.8: a relative path in the variable is ignored. */
function toDataHome(environment: Environment): string {
  const dataHome = environment["XDG_DATA_HOME"] ?? "";
  return isAbsolute(dataHome)
    ? dataHome
    : join(environment["HOME"] ?? homedir(), ".local", "share");
}
