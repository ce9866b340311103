/**
 * Opens what `--out` names.
 */
import { systemClock } from "../clock.ts";
import { outputs } from "../config/list-kinds.ts";
import type { Options } from "../config/options.ts";
import { UsageError } from "../errors.ts";
import type { HealthMonitor } from "../generate/health-monitor.ts";
import { fanOut } from "../output/fan-out.ts";
import { JsonOutput } from "../output/json-output.ts";
import { parseOut } from "../output/output.ts";
import { PrometheusOutput } from "../output/prometheus-output.ts";
import type { SampleSink } from "../sample/sample.ts";
import type { IdentifiedRun } from "../output/identify.ts";
import { userAgent } from "../version.ts";

export interface OutputPlan {
  /** Files of `--out json=FILE` that we write. */
  readonly jsonFiles: readonly string[];
  /** Outputs that are k6's, as they were written. */
  readonly k6Outputs: readonly string[];
}

/**
 * Sorts the outputs by who writes them. Samples always go to Prometheus: an `--out` of another kind is beside it.
 *
 * @throws UsageError for an output that nobody knows; k6 knows its own, so with k6 every name is allowed
 */
export function planOutputs(out: readonly string[], isK6: boolean): OutputPlan {
  let hasPrometheus = false;
  const jsonFiles: string[] = [];
  const k6Outputs: string[] = [];
  for (const text of out) {
    const { name, argument } = parseOut(text);
    if (name === "prometheus-rw") {
      if (hasPrometheus)
        throw new UsageError("--out prometheus-rw is given twice, expected it once");
      hasPrometheus = true;
    } else if (isK6) {
      k6Outputs.push(text);
    } else if (name === "json" && argument !== "") {
      jsonFiles.push(argument);
    } else {
      throw new UsageError(
        `unknown output ${JSON.stringify(outputs.format(outputs.redact([text])))}: ` +
          "expected prometheus-rw[=URL] or json=FILE",
      );
    }
  }
  return { jsonFiles, k6Outputs };
}

export interface OpenOutputs {
  readonly prometheus: PrometheusOutput;
  readonly sink: SampleSink;
  /** Closes the files. */
  close(): Promise<void>;
}

export async function openOutputs(
  options: Options,
  jsonFiles: readonly string[],
  run: IdentifiedRun & {
    /** Name and version of what makes the load. */
    readonly generator: string;
    readonly isLive: boolean;
    readonly storesSelfMetrics: boolean;
    readonly health: HealthMonitor;
    readonly startMs: number;
    readonly onNotice: (text: string) => void;
  },
): Promise<OpenOutputs> {
  const prometheus = await PrometheusOutput.open({
    ...run,
    remoteWrite: options,
    health: () => run.health.health,
    info: new Map([...run.tags, ["generator", run.generator]]),
    clock: systemClock,
    random: Math.random,
    userAgent,
  });
  try {
    const files = await Promise.all(jsonFiles.map((path) => JsonOutput.open(path)));
    return {
      prometheus,
      sink: fanOut([prometheus.sink, ...files.map(({ sink }) => sink)]),
      async close() {
        await Promise.all(files.map((file) => file.close()));
      },
    };
  } catch (error) {
    await prometheus.close();
    throw error;
  }
}
