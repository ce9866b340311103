/**
 * Plimsoll's own metrics as `/metrics` shows them. A file of its own, because few runs are asked for it and prom-client is
 * slow to load.
 */
import { collectDefaultMetrics, type Metric, Registry } from "prom-client";
import type { OutputProgress } from "./output-progress.ts";
import { type SelfMetric, selfMetrics } from "./self-metrics.ts";

/** Whoever can be asked: an output. */
interface SelfAware {
  readonly progress: OutputProgress;
  /** Of each of its own series. */
  readonly ownLabels: Readonly<Record<string, string>>;
}

/**
 * For `/metrics`: all of them with the labels that all of the run's own series have, and beside them prom-client's
 * of the process.
 */
export function createSelfMetrics(output: SelfAware): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ ...output.ownLabels });
  collectDefaultMetrics({ register: registry });
  for (const metric of selfMetrics) registry.registerMetric(readFrom(metric, output));
  return registry;
}

function readFrom(
  { name, help, kind, values }: SelfMetric,
  output: Pick<SelfAware, "progress">,
): Metric {
  const metric = {
    name,
    get: async () => ({
      name,
      help,
      type: kind,
      values: values(output.progress).map(({ labels, value, suffix = "" }) => ({
        metricName: name + suffix,
        labels,
        value,
      })),
    }),
  };
  // prom-client's own classes count by themselves, and only upwards. Its registry asks a metric for its name and its
  // values, and for nothing else.
  return metric as unknown as Metric;
}
