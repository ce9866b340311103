/**
 * The options of Plimsoll as the rest of the program sees them: parsed, validated, units in the names.
 *
 * How each is spelled as a flag, a variable and a key, its default and its limits are in option-table.ts;
 * docs/options.md is generated from there.
 */
import type { ConnectionOptions } from "./connection-options.ts";

/** What the output `prometheus-rw` needs to know. `undefined` means that the option is off or absent. */
export interface RemoteWriteOptions extends ConnectionOptions {
  /** `auto`: remote write 2.0, falling back to 1.0 where the receiver does not speak it. */
  readonly protocol: "auto" | "1" | "2";
  /** How trends are stored. `auto`: native histograms, falling back to classic ones. */
  readonly trends: "auto" | "native" | "classic" | "none";
  /** Gauges written for each trend: `count`, `sum`, `min`, `max`, `avg`, `med`, `p(N)`. */
  readonly trendStats: readonly string[];
  /** Width of the intervals into which samples are aggregated, and time between two pushes. */
  readonly pushIntervalMs: number;
  /** How long an interval waits for samples that arrive late. */
  readonly latenessMs: number;
  readonly staleMarkers: boolean;
  /** Above this many series, samples go to one series `name="(other)"`. */
  readonly maxSeries: number;
  /** Paths with `{placeholders}` that name the URLs they match; `auto`: ids are recognised. */
  readonly nameTemplates: readonly string[];
  readonly writeRelabelConfigs: WriteRelabelConfigs;
  /** Absolute path. */
  readonly spoolDir: string;
  /** Absolute path. */
  readonly dataDir: string;
  readonly spoolLimitBytes: number;
  /** How many requests may be under way at a time, each with series of its own. 1 to 16. */
  readonly queues: number;
  /** Requests whose newest point is older are dropped instead of sent. 0: none is. */
  readonly sampleAgeLimitMs: number;
  /** Time at the end of a run to deliver what is spooled. */
  readonly drainTimeoutMs: number;
  /** Whether to ask the receiver, before the run starts, if it takes samples. */
  readonly preflight: boolean;
  /** Where to serve Plimsoll's own metrics. */
  readonly metricsListen: ListenAddress | undefined;
}

/** What a run needs to know. */
export interface RunOptions {
  /** The run's id, label `testid` of every series. `undefined`: one is made. */
  readonly testid: string | undefined;
  /** The run's name, label `test` of every series. `undefined`: it is made from what is run. */
  readonly test: string | undefined;
  /** Labels for every series. */
  readonly tags: ReadonlyMap<string, string>;
  /** Where samples go, each `NAME` or `NAME=ARG`. */
  readonly out: readonly string[];
}

/** What `plimsoll serve` needs to know, and where the runs of all commands are kept. */
export interface ServerOptions {
  readonly listen: ListenAddress;
  /** What k6 and people reach the server by. `undefined`: the address that it listens at. */
  readonly publicUrl: string | undefined;
  /** Where the team's Grafana is, so that a run's page links into its dashboards. */
  readonly grafanaUrl: string | undefined;
  /** What the other servers of the database reach it by. `undefined`: the address that it listens at. */
  readonly peerUrl: string | undefined;
  /** What is before `/api/v1` of the store's query API. `undefined`: beside the URL that is written to. */
  readonly queryUrl: string | undefined;
  /** Of a Postgres. `undefined`: runs are kept in the data directory. */
  readonly databaseUrl: string | undefined;
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** PEM file; HTTPS where there is one. */
  readonly tlsCertificateFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  /** A run without data for so long is over. */
  readonly runTimeoutMs: number;
}

/** What reaches a server. */
export interface ClientOptions {
  /** `undefined`: this machine's own runs. */
  readonly server: string | undefined;
  readonly token: string | undefined;
}

export interface Options extends RunOptions, RemoteWriteOptions, ServerOptions, ClientOptions {}

export type OptionName = keyof Options;

/** What sources other than the defaults say. */
export type ParsedOptions = { -readonly [Name in OptionName]?: Options[Name] };

/** Relabel rules as they were written; `parseRelabelConfigs` of encode/relabel.ts understands them. */
export interface WriteRelabelConfigs {
  /** The file that the rules are from, for error messages. */
  readonly source: string;
  /** Parsed YAML in which every scalar is a string. */
  readonly rules: readonly unknown[];
}

export interface ListenAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 is any free port. */
  readonly port: number;
}
