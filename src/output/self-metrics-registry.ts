/**
 * Plimsoll's own metrics as `/metrics` shows them. A file of its own, because few runs are asked for it and prom-client is
 * slow to load.
 */
import { collectDefaultMetrics, type Metric, Registry } from "prom-client";
import type { OutputProgress } from "./output-progress.ts";
import { type SelfMetric, selfMetrics, type SelfValue } from "./self-metrics.ts";

/** Whoever can be asked: an output. */
export interface SelfAware {
  readonly progress: OutputProgress;
  /** Of each of its own series. */
  readonly ownLabels: Readonly<Record<string, string>>;
}

/**
 * For `/metrics`: all of them with the labels that all of the run's own series have, and beside them prom-client's
 * of the process.
 */
export function createSelfMetrics(output: SelfAware): Registry {
  const registry = createRegistry(({ values }) => values(output.progress));
  registry.setDefaultLabels({ ...output.ownLabels });
  return registry;
}

/** The same for a process that has several runs, which come and go: each value has its run's labels. */
export function createRunsMetrics(outputs: () => readonly SelfAware[]): Registry {
  return createRegistry(({ values }) =>
    outputs().flatMap(({ progress, ownLabels }) =>
      values(progress).map((value) => ({ ...value, labels: { ...ownLabels, ...value.labels } })),
    ),
  );
}

function createRegistry(valuesOf: (metric: SelfMetric) => readonly SelfValue[]): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const metric of selfMetrics) {
    registry.registerMetric(readFrom(metric, () => valuesOf(metric)));
  }
  return registry;
}

function readFrom({ name, help, kind }: SelfMetric, valuesOf: () => readonly SelfValue[]): Metric {
  const metric = {
    name,
    get: async () => ({
      name,
      help,
      type: kind,
      values: valuesOf().map(({ labels, value, suffix = "" }) => ({
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
