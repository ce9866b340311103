/**
 * The two ways in which samples come out of k6, and which one a run takes.
 *
 * `lines`:   every sample as a line of JSON. Exact in everything, but a quick request costs k6 about twice as much.
 * `buckets`: k6's cloud output, which sums up a second of each series and costs about what its Prometheus output costs.
 *
 * Source: k6 `internal/output/cloud/output.go`, `output/cloud/expv2/collect.go`, `cloudapi/config.go`,
 * `internal/metrics/engine/engine.go`.
 */
import { isGoTrue, parseK6Arguments } from "./k6-flags.ts";
import { whyPlainTrends } from "./plain-trends.ts";

export const k6SamplesChoices = ["auto", "buckets", "lines"] as const;
export type K6SamplesChoice = (typeof k6SamplesChoices)[number];

/** What k6 has to be started with. */
export type K6Samples =
  | { readonly kind: "lines"; readonly fifoPath: string }
  | {
      readonly kind: "buckets";
      /** Where k6's cloud is taken to be. */
      readonly cloudUrl: string;
      /** `host:port` for k6's REST API; undefined where the user has one. */
      readonly address: string | undefined;
    };

export interface BucketsQuestion {
  /** The user's flags of `k6 run`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pushIntervalMs: number;
}

/** Why a run's samples cannot come in buckets, as far as that is known before it; undefined if they can. */
export function whyNoBuckets(question: BucketsQuestion): string | undefined {
  const { args, env, pushIntervalMs } = question;
  const flags = parseK6Arguments(args);
  const outs = flags.some(({ name }) => name === "out")
    ? flags.flatMap(({ name, value = "" }) => (name === "out" ? [value] : []))
    : (env["K6_OUT"] ?? "").split(",");
  if (pushIntervalMs % 1_000 !== 0) return "k6 sums up whole seconds, and --push-interval is none";
  if (outs.some((out) => out.split("=")[0] === "cloud")) return "k6's cloud output is in use";
  for (const name of ["K6_CLOUD_PUSH_REF_ID", "K6_CLOUDRUN_TEST_RUN_ID"]) {
    if (env[name]) return `${name} says that k6 belongs to a run of its cloud`;
  }
  const mode = flags.findLast(({ name }) => name === "summary-mode")?.value;
  const noSummary = flags.findLast(({ name }) => name === "no-summary");
  const isDisabled = isGoTrue(noSummary ? (noSummary.value ?? "true") : env["K6_NO_SUMMARY"]);
  // k6 then keeps no account of its metrics, and cannot be asked what they contain.
  if (isDisabled || (mode ?? env["K6_SUMMARY_MODE"]) === "disabled") {
    return "k6's summary is disabled, and with it what k6 knows of its metrics";
  }
  if (apiAddress(args, env) === "") return "k6's REST API is switched off";
  return undefined;
}

/**
 * Whether k6's log comes to us: what it says there of its cloud output decides whether lines are read instead. For
 * other places k6 has it to itself.
 */
export function isLogHeard({ args, env }: Pick<BucketsQuestion, "args" | "env">): boolean {
  const flag = parseK6Arguments(args).findLast(({ name }) => name === "log-output");
  return (flag ? (flag.value ?? "") : (env["K6_LOG_OUTPUT"] ?? "stderr")) === "stderr";
}

/**
 * Why a run's samples had better come as lines; undefined if there is no difference. `sources` are the texts of the script
 * and its modules, undefined where they cannot be looked at. In doubt, lines.
 */
export function whyLines(
  sources: readonly string[] | undefined,
  isClassic: boolean,
): string | undefined {
  if (isClassic) return "classic buckets have bounds, and k6's buckets lie across them";
  if (sources === undefined) return "nobody knows which trends the script has";
  for (const source of sources) {
    const doubt = whyPlainTrends(source);
    if (doubt !== undefined) return doubt;
  }
  return undefined;
}

/**
 * Where the user wants k6's REST API, if they do; empty if nowhere. `K6_ADDRESS` is no place: where somebody else is there
 * k6 goes on without, and they would be asked in its stead.
 */
export function apiAddress(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const flag = parseK6Arguments(args).findLast(({ name }) => name === "address");
  if (flag) return flag.value ?? "";
  return env["K6_ADDRESS"] === "" ? "" : undefined;
}

/** Of a k6 that takes us for its cloud: how the user's runs reach theirs is of no concern to this one. */
export function bucketsEnvironment(
  env: BucketsQuestion["env"],
  cloudUrl: string,
): BucketsQuestion["env"] {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("K6_CLOUD_"));
  return {
    ...Object.fromEntries(others),
    K6_CLOUD_HOST: cloudUrl,
    // k6's configuration file may have others, which variables replace.
    K6_CLOUD_API_VERSION: "2",
    K6_CLOUD_TIMEOUT: "1m",
    K6_CLOUD_METRIC_PUSH_CONCURRENCY: "1",
  };
}

/** Whether a line of k6's log says that it cannot begin with its cloud output, or with its REST API. */
export function refusesBuckets(logLine: string): boolean {
  return (
    logLine.includes("not allowed when outputting data to k6 cloud") ||
    logLine.includes("cloud output needs the following system tags") ||
    logLine.includes("could not create the 'cloud' output") ||
    logLine.includes("Error from API server")
  );
}
