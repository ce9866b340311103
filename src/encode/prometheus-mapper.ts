/**
 * Decides which Prometheus series a k6 series feeds: names, labels, relabelling, and the guard against too many.
 *
 * In:  a metric and its tags, once per k6 series.
 * Out: output series, shared by all k6 series that end up with the same labels.
 *
 * Mapping comes before aggregation, so that series which lose the label that told them apart are summed instead
 * of overwriting each other.
 */
import { classicBounds } from "../aggregate/classic-buckets.ts";
import type { MappedSeries, Output, SeriesMapper } from "../aggregate/series-mapper.ts";
import type { Label, MetricFamily, OutputSeries } from "../aggregate/series-point.ts";
import type { TrendStat } from "../aggregate/trend-stat.ts";
import type { Metric } from "../sample/metric.ts";
import type { DropReason, Tags } from "../sample/sample.ts";
import { byName, type LabelChanges, labelLimit, noLabelChanges, toLabels } from "./labels.ts";
import { gaugeFamily, histogramFamily, rateFamily, statFamily, totalFamily } from "./names.ts";

/** How the distribution of a trend is sent. */
export type TrendForm = "native" | "classic" | "none";

export interface MapperOptions {
  /** `testid` and `test`: on every series, whatever its tags say. */
  readonly runLabels: readonly Label[];
  /** On every series that has no tag of that name. */
  readonly extraTags: Tags;
  readonly trendForm: TrendForm;
  readonly trendStats: readonly TrendStat[];
  /** Output series beyond this number become one `name="(other)"` per metric. */
  readonly maxSeries: number;
  /** The labels to send instead, or undefined to send nothing. */
  readonly relabel: (labels: readonly Label[]) => Label[] | undefined;
}

/** What the mapper had to do to keep the series in bounds; for the end report. */
export interface MapperCounts extends Readonly<LabelChanges> {
  /** How often a k6 series was folded into `name="(other)"`. */
  readonly overflowed: number;
  /** Output series made. */
  readonly series: number;
  /** Output series that were left out: after naming and relabelling they were some other series. */
  readonly outputCollisions: number;
  /** How often a series carried a tag `testid` or `test` of their own, which the run's replaced. */
  readonly replacedRunTags: number;
}

const overflowTags: Tags = new Map([["name", "(other)"]]);

type Role = Output["role"];

interface Wanted {
  readonly role: Role;
  readonly family: MetricFamily;
  /** The series' name, where it is not the family's. */
  readonly name?: string;
  readonly label?: Label;
  readonly bound?: number;
  readonly stat?: TrendStat;
}

export class PrometheusMapper implements SeriesMapper {
  readonly #options: MapperOptions;
  readonly #mapped = new Map<string, MappedSeries | DropReason>();
  readonly #wanted = new Map<Metric, readonly Wanted[]>();
  /** Each output series' key, and the mapping that owns it. */
  readonly #owners = new Map<string, string>();
  readonly #changes = noLabelChanges();
  readonly #nextId: () => number;
  #overflowed = 0;
  #outputCollisions = 0;
  #replacedRunTags = 0;

  /** `nextId` gives each output series its id. */
  constructor(options: MapperOptions, nextId: () => number) {
    this.#options = options;
    this.#nextId = nextId;
  }

  get counts(): MapperCounts {
    return {
      ...this.#changes,
      overflowed: this.#overflowed,
      series: this.#owners.size,
      outputCollisions: this.#outputCollisions,
      replacedRunTags: this.#replacedRunTags,
    };
  }

  map(metric: Metric, tags: Tags): MappedSeries | DropReason {
    const { runLabels } = this.#options;
    if (runLabels.some(({ name, value }) => tags.has(name) && tags.get(name) !== value)) {
      this.#replacedRunTags++;
    }
    const candidate = this.#candidate(metric, this.#prepared(tags), this.#changes);
    const known = this.#mapped.get(candidate.key);
    if (known !== undefined) return known;
    if (this.#owners.size + candidate.outputs.length <= this.#options.maxSeries) {
      return this.#register(metric, candidate);
    }
    this.#overflowed++;
    const overflow = this.#candidate(metric, this.#prepared(overflowTags), noLabelChanges());
    return this.#mapped.get(overflow.key) ?? this.#register(metric, overflow);
  }

  /** `url` repeats `name` or, where the script set a name, undoes it. */
  #prepared(tags: Tags): Tags {
    const { extraTags } = this.#options;
    const dropsUrl = tags.has("url") && (tags.get("name") ?? "") !== "";
    if (!dropsUrl && extraTags.size === 0) return tags;
    const prepared = new Map([...extraTags, ...tags]);
    if (dropsUrl) prepared.delete("url");
    return prepared;
  }

  #candidate(metric: Metric, tags: Tags, changes: LabelChanges): Candidate {
    const wanted = this.#wantedOf(metric);
    // Room for the series' name and a label of its own.
    const base = toLabels(this.#options.runLabels, tags, changes, labelLimit - 2);
    const outputs = wanted.map((want) => {
      const own: Label[] = [{ name: "__name__", value: want.name ?? want.family.name }];
      if (want.label) own.push(want.label);
      const others = base.filter((label) => !own.some(({ name }) => name === label.name));
      changes.collisions += base.length - others.length;
      const labels = [...own, ...others].sort(byName);
      const relabelled = this.#options.relabel(labels);
      return { want, labels: relabelled, key: relabelled ? keyOf(relabelled) : "" };
    });
    // The metric is part of the key: two metrics never share a sink.
    return { key: `${metric.name}\n${outputs.map(({ key }) => key).join("\n")}`, outputs };
  }

  #register(metric: Metric, candidate: Candidate): MappedSeries | DropReason {
    const outputs: Output[] = [];
    let hasCollided = false;
    for (const { want, labels, key } of candidate.outputs) {
      if (!labels) continue;
      if (this.#owners.has(key)) {
        hasCollided = true;
        this.#outputCollisions++;
        continue;
      }
      this.#owners.set(key, candidate.key);
      const family = relabelledFamily(want, labels);
      const isNative = want.role === "native";
      outputs.push(toOutput(want, { id: this.#nextId(), labels, family, isNative }));
    }
    const mapped: MappedSeries | DropReason =
      outputs.length > 0
        ? { metric, outputs }
        : hasCollided
          ? "series_collision"
          : "relabelled_away";
    this.#mapped.set(candidate.key, mapped);
    return mapped;
  }

  #wantedOf(metric: Metric): readonly Wanted[] {
    let wanted = this.#wanted.get(metric);
    if (!wanted) {
      wanted = this.#rolesOf(metric);
      this.#wanted.set(metric, wanted);
    }
    return wanted;
  }

  #rolesOf(metric: Metric): readonly Wanted[] {
    switch (metric.type) {
      case "counter":
        return [{ role: "total", family: totalFamily(metric) }];
      case "gauge":
        return [{ role: "value", family: gaugeFamily(metric) }];
      case "rate": {
        const family = totalFamily(metric);
        return [
          { role: "nonzero", family, label: { name: "condition", value: "nonzero" } },
          { role: "zero", family, label: { name: "condition", value: "zero" } },
          { role: "rate", family: rateFamily(metric) },
        ];
      }
      case "trend":
        return [
          ...this.#distributionOf(metric),
          ...this.#options.trendStats.map((stat) => ({
            role: "stat" as const,
            family: statFamily(metric, stat),
            stat,
          })),
        ];
    }
  }

  #distributionOf(metric: Metric): readonly Wanted[] {
    const family = histogramFamily(metric);
    switch (this.#options.trendForm) {
      case "none":
        return [];
      case "native":
        return [{ role: "native", family }];
      case "classic": {
        const bounds = [...classicBounds(metric.contains).map(String), "+Inf"];
        return [
          ...bounds.map((bound, index) => ({
            role: "bucket" as const,
            family,
            name: `${family.name}_bucket`,
            label: { name: "le", value: bound },
            bound: index,
          })),
          { role: "sum", family, name: `${family.name}_sum` },
          { role: "count", family, name: `${family.name}_count` },
        ];
      }
    }
  }
}

interface Candidate {
  readonly key: string;
  readonly outputs: readonly {
    readonly want: Wanted;
    readonly labels: Label[] | undefined;
    readonly key: string;
  }[];
}

/** Distinct for distinct labels: neither a length nor a JSON string can be mistaken for another. */
function keyOf(labels: readonly Label[]): string {
  return JSON.stringify(labels.map(({ name, value }) => [name, value]));
}

/** A rule that renames a series renames its family: metadata belong to a name. */
function relabelledFamily({ family, name }: Wanted, labels: readonly Label[]): MetricFamily {
  const wanted = name ?? family.name;
  const actual = labels.find((label) => label.name === "__name__")?.value ?? wanted;
  if (actual === wanted) return family;
  const suffix = wanted.slice(family.name.length);
  const isKept = suffix !== "" && actual.endsWith(suffix);
  return { ...family, name: isKept ? actual.slice(0, -suffix.length) : actual };
}

function toOutput(want: Wanted, series: OutputSeries): Output {
  if (want.role === "bucket") return { role: "bucket", series, bound: want.bound ?? 0 };
  if (want.role === "stat" && want.stat) return { role: "stat", series, stat: want.stat };
  // The two roles that carry more are returned above.
  return { role: want.role as Exclude<Role, "bucket" | "stat">, series };
}
