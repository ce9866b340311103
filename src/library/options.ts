/**
 * The options of the library: those of plimsoll.yaml, by their keys, without the prefix `remoteWrite`, which the
 * class says already.
 *
 * In:  an object, and variables if the caller has some. Out: the options that the pipeline takes, or a ConfigError
 * with every problem. docs/options.md has the defaults and limits.
 */
import type { Environment } from "../config/option-row.ts";
import type { OptionGroup } from "../config/option-row.ts";
import type { NamedRow } from "../config/option-table.ts";
import { optionRows } from "../config/option-table.ts";
import type { Options } from "../config/options.ts";
import { resolveOptions } from "../config/resolve-options.ts";
import { suggestion } from "../config/suggest.ts";
import type { RawValue } from "../config/yaml.ts";
import { parseRelabelConfigs } from "../encode/parse-relabel-configs.ts";
import { ConfigError, type ConfigProblem } from "../errors.ts";

/** Text such as `"5s"` or `"1m30s"`, or a number of milliseconds. */
export type Duration = string | number;

/** Text such as `"512MiB"`, or a number of bytes. */
export type ByteSize = string | number;

/** Names with values. */
export type Names =
  Readonly<Record<string, string | number | boolean>> | ReadonlyMap<string, string>;

/** Every option may be left out; docs/options.md has the defaults. Paths are relative to the working directory. */
export interface PrometheusRemoteWriteOptions {
  /** Endpoint that takes remote write. Default `http://localhost:9090/api/v1/write`. User-info in it is used. */
  readonly url?: string | URL | undefined;
  /** The run's id, label `testid` of every series. Default: made of `test`, the time, and four random digits. */
  readonly testid?: string | undefined;
  /** The test's name, the same for all of its runs, label `test` of every series. Default `test`. */
  readonly test?: string | undefined;
  /** Labels of every series that has none of that name. */
  readonly tags?: Names | undefined;
  /** What makes the load, name and version: label `generator` of `plimsoll_run_info`. Default `plimsoll library`. */
  readonly generator?: string | undefined;
  /**
   * Where to look for `PLIMSOLL_*` and `K6_PROMETHEUS_RW_*` variables, e.g. `process.env`. They win over the options
   * here, as they do over plimsoll.yaml. Default: nowhere.
   */
  readonly env?: Environment | undefined;
  /** Told what was not asked for and should be known, once per matter. Default: only the report has it. */
  readonly onNotice?: ((text: string) => void) | undefined;

  /** Basic authentication. Of all methods at most one; docs/authentication.md has them. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Like every file with a secret, read again when it changes. */
  readonly passwordFile?: string | undefined;
  readonly bearerToken?: string | undefined;
  readonly bearerTokenFile?: string | undefined;
  /** Scheme to send the token with. Default `Bearer`. */
  readonly authorizationType?: string | undefined;
  /** OAuth2 client credentials. */
  readonly oauth2ClientId?: string | undefined;
  readonly oauth2ClientSecret?: string | undefined;
  readonly oauth2ClientSecretFile?: string | undefined;
  readonly oauth2TokenUrl?: string | undefined;
  readonly oauth2Scopes?: string | readonly string[] | undefined;
  /** Parameters of the token request, e.g. `{ audience: "metrics" }`. */
  readonly oauth2EndpointParams?: Names | undefined;
  /** PEM file with the authorities to trust for the token endpoint. */
  readonly oauth2TlsCaFile?: string | undefined;
  /** AWS region: requests are signed with SigV4, with credentials found as AWS's own programs do. */
  readonly sigv4Region?: string | undefined;
  readonly sigv4AccessKey?: string | undefined;
  readonly sigv4SecretKey?: string | undefined;
  readonly sigv4Profile?: string | undefined;
  readonly sigv4RoleArn?: string | undefined;
  /** Proxy on the way to the receiver. Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
  readonly proxyUrl?: string | undefined;
  /** Sent with each request, e.g. `{ "X-Scope-OrgID": "team" }`. */
  readonly headers?: Names | undefined;
  /** For one request and its answer. Default 30 s. */
  readonly timeout?: Duration | undefined;
  /** Default `auto`: remote write 2.0, and 1.0 where the receiver does not speak it. */
  readonly protocol?: "auto" | "1" | "2" | undefined;
  /** Trust any certificate of the receiver. Default false. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** Default `1.2`. */
  readonly tlsMinVersion?: "1.2" | "1.3" | undefined;
  /** PEM file with the authorities to trust instead of the public ones. */
  readonly tlsCaFile?: string | undefined;
  /** PEM files; both or none. */
  readonly clientCertificate?: string | undefined;
  readonly clientCertificateKey?: string | undefined;
  /**
   * Default true: `start` asks the receiver what it takes, and rejects where it takes nothing. With false it asks
   * nobody, speaks remote write 1.0 with classic histograms, and keeps everything in the spool while it must.
   */
  readonly preflight?: boolean | undefined;

  /** Time between pushes, and distance of the points stored. Default 1 s. */
  readonly pushInterval?: Duration | undefined;
  /** How long an interval waits for samples that come late. Default 250 ms. */
  readonly lateness?: Duration | undefined;
  /** Default `auto`: native histograms, and classic ones where the store has no native ones. */
  readonly trends?: "auto" | "native" | "classic" | "none" | undefined;
  /** Gauges for trends besides: `count`, `sum`, `min`, `max`, `avg`, `med`, `p(N)`. Default `["p(99)"]`. */
  readonly trendStats?: string | readonly string[] | undefined;
  /** End every series with the run. Default true. */
  readonly staleMarkers?: boolean | undefined;
  /** Above so many series, samples go to one with `name="(other)"`. Default 100 000. */
  readonly maxSeries?: number | undefined;
  /** What stands for the numbers and ids in `name` and `url`: paths such as `/products/{id}`, or `auto`. Default: nothing. */
  readonly nameTemplates?: string | readonly string[] | undefined;
  /** Rules as in Prometheus' `write_relabel_configs`, or the path of a YAML file with them. */
  readonly writeRelabelConfigs?: string | readonly Readonly<Record<string, unknown>>[] | undefined;

  /** Where Plimsoll keeps its files. Default `~/.local/share/plimsoll`. */
  readonly dataDir?: string | undefined;
  /** Where requests wait until the receiver has them. Default `spool` in `dataDir`. One process per run and folder. */
  readonly spoolDir?: string | undefined;
  /** What does not fit is dropped and counted. Default 1 GiB. */
  readonly spoolLimit?: ByteSize | undefined;
  /** Requests under way at a time, each with series of its own. Default 1, at most 16. */
  readonly queues?: number | undefined;
  /** Drop and count what is older when it could be sent. Default 0: no limit. */
  readonly sampleAgeLimit?: Duration | undefined;
  /** How long `finish` tries to deliver what is spooled. Default 30 s. */
  readonly drainTimeout?: Duration | undefined;
}

/** The library's own, which plimsoll.yaml does not have. */
const ownNames = ["generator", "env", "onNotice"];
/** The command's, of which a program needs none. */
const commandKeys = ["out", "metricsListen"];
const source = "options";
const prefix = "remoteWrite";

const commandGroups: readonly OptionGroup[] = ["serve", "client"];

/** Name to row, in the order of the docs. */
export const libraryRows: ReadonlyMap<string, NamedRow> = new Map(
  optionRows
    .filter(({ key, group }) => !commandKeys.includes(key) && !commandGroups.includes(group))
    .map((row) => [row.key.startsWith(prefix) ? withoutPrefix(row.key) : row.key, row]),
);

/** @throws ConfigError with every problem, each by the name that the option has here */
export function resolveLibraryOptions(options: PrometheusRemoteWriteOptions): Options {
  const problems: ConfigProblem[] = [];
  const values: Record<string, RawValue> = {};
  for (const [option, value] of Object.entries(options)) {
    const row = libraryRows.get(option);
    if (value === undefined || ownNames.includes(option)) continue;
    const raw = toRaw(value);
    if (!row) {
      problems.push({ option, message: `is not an option${suggest(option)}`, source });
    } else if (raw === undefined) {
      const message = `is a ${typeof value}: expected text, a number, a boolean, a list or an object`;
      problems.push({ option, message, source });
    } else {
      values[row.key] = raw;
    }
  }
  try {
    const file = { source, directory: ".", values };
    const resolved = resolveOptions(
      { file, ...(options.env && { environment: options.env }) },
      ({ rules, source }) => void parseRelabelConfigs(rules, source),
    );
    if (problems.length === 0) return resolved.values;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems.map(named));
  }
  throw new ConfigError(problems);
}

/** The value as plimsoll.yaml would have it; undefined for what YAML cannot say. */
function toRaw(value: unknown): RawValue | undefined {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof URL) return value.href;
  if (typeof value !== "object") return undefined;
  if (Array.isArray(value)) return all(value.map(toRaw));
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const raw = all(entries.map(([, item]) => toRaw(item)));
  return raw && Object.fromEntries(entries.map(([name], index) => [name, raw[index] ?? null]));
}

function all(raw: readonly (RawValue | undefined)[]): RawValue[] | undefined {
  const known = raw.filter((item) => item !== undefined);
  return known.length === raw.length ? known : undefined;
}

function suggest(option: string): string {
  const names = [...libraryRows.keys(), ...ownNames];
  const short = option.startsWith(prefix) ? withoutPrefix(option) : option;
  return names.includes(short) ? ` (did you mean "${short}"?)` : suggestion(short, names);
}

/** The problem with our names in place of keys and flags; a variable keeps its own. */
function named(problem: ConfigProblem): ConfigProblem {
  const nameOf = (spelling: "key" | "flag", text: string): string =>
    [...libraryRows].find(([, row]) => row[spelling] === text)?.[0] ?? text;
  return {
    ...problem,
    option: problem.source === source ? nameOf("key", problem.option) : problem.option,
    message: problem.message
      .replaceAll(/--[a-z-]+/g, (flag) => nameOf("flag", flag))
      .replaceAll(/\b\w+(?= \(from options\))/g, (key) => nameOf("key", key)),
  };
}

function withoutPrefix(key: string): string {
  const name = key.slice(prefix.length);
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}
