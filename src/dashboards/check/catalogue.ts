/**
 * Which metrics there are, with which labels, in which unit: what a panel may ask for.
 *
 * In:  lists of metrics, of the pipeline's own (`pipeline-metrics.ts`), of exporters (recorded from the real ones), of
 *      recording rules.
 * Out: a metric by its name, a histogram by the names of its parts.
 */

export type MetricKind =
  "counter" | "gauge" | "histogram" | "native histogram" | "summary" | "untyped";

/** What a value counts or measures; undefined where the name does not say. */
export type BaseUnit = "seconds" | "milliseconds" | "bytes" | "ratio" | "timestamp" | "items";

export interface MetricEntry {
  readonly name: string;
  readonly kind: MetricKind;
  readonly labels: ReadonlySet<string>;
  readonly unit: BaseUnit | undefined;
  /** Of a histogram's buckets and of a native histogram: what was observed. */
  readonly observed?: BaseUnit | undefined;
}

export class Catalogue {
  readonly #entries = new Map<string, MetricEntry>();

  add(entry: MetricEntry): void {
    for (const part of partsOf(entry)) {
      const known = this.#entries.get(part.name);
      const labels = new Set([...(known?.labels ?? []), ...part.labels]);
      this.#entries.set(part.name, { ...part, labels });
    }
  }

  get(name: string): MetricEntry | undefined {
    return this.#entries.get(name);
  }

  get entries(): Iterable<MetricEntry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** A classic histogram and a summary are stored as several series, none of which has the metric's own name. */
function partsOf(entry: MetricEntry): MetricEntry[] {
  const { name, kind, labels, unit } = entry;
  if (kind === "native histogram") return [{ ...entry, unit: undefined, observed: unit }];
  if (kind !== "histogram" && kind !== "summary") return [entry];
  const sum: MetricEntry = { name: `${name}_sum`, kind: "counter", labels, unit };
  const count: MetricEntry = { name: `${name}_count`, kind: "counter", labels, unit: "items" };
  if (kind === "summary") {
    return [{ ...entry, kind: "gauge", labels: new Set([...labels, "quantile"]) }, sum, count];
  }
  const le = new Set([...labels, "le"]);
  return [
    { name: `${name}_bucket`, kind: "counter", labels: le, unit: "items", observed: unit },
    sum,
    count,
  ];
}

/**
 * The metrics of an exporter as `scripts/record-exporter.mjs` wrote them: a line per metric, its name, its type and the
 * labels that its series have. Prometheus adds `job` and `instance`.
 *
 * @throws Error with the line that cannot be read
 */
export function parseRecording(text: string): MetricEntry[] {
  return text.split("\n").flatMap((line): MetricEntry[] => {
    if (line === "" || line.startsWith("#")) return [];
    const [name = "", kind, ...labels] = line.split(" ");
    if (!isRecordedKind(kind)) {
      throw new Error(`cannot read ${JSON.stringify(line)}; expected a name, a type and labels`);
    }
    const all = new Set([...labels, "job", "instance"]);
    return [{ name, kind, labels: all, unit: unitOfName(name, kind) }];
  });
}

const isRecordedKind = (kind: string | undefined): kind is MetricKind =>
  kind !== undefined && ["counter", "gauge", "histogram", "summary", "untyped"].includes(kind);

/** Gauges and counters that count something and say so without a suffix. */
const counted =
  /_(count|connections|backends|processes|clients|requests|threads|entries|pending|blocked_clients|max|commit|rollback|deadlocks|conflicts|fetched|returned|inserted|updated|deleted|hit|read)$/;

/** What the conventions for names say of the unit: prometheus.io/docs/practices/naming. */
export function unitOfName(name: string, kind: MetricKind): BaseUnit | undefined {
  if (/(^|_)(start|end|boot)_time_seconds$|_timestamp_seconds$|^node_time_seconds$/.test(name)) {
    return "timestamp";
  }
  const base = name.replace(/_total$/, "");
  if (base.endsWith("_seconds")) return "seconds";
  if (/_(ms|milliseconds)$/.test(base)) return "milliseconds";
  if (base.endsWith("_bytes")) return "bytes";
  if (base.endsWith("_ratio")) return "ratio";
  // Another unit in the name, which no check knows.
  if (/(time|celsius|hertz|volts|amperes|watts|joules|percent|rpm)(_|$)/.test(base))
    return undefined;
  if (kind === "counter" || base !== name || name.endsWith("_info") || counted.test(name))
    return "items";
  return undefined;
}
