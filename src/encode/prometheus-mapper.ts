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
import { LabelSets } from "./label-sets.ts";
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
  /** What becomes of `name` and `url`. */
  readonly nameTemplate?: ((name: string) => string) | undefined;
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

/**
 * Metrics that may begin when the series are at their limit, each with one `name="(other)"`; a script that makes
 * metrics without end would go on beyond it.
 */
const lateMetricLimit = 100;

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
  /** The labels of each output series. */
  readonly #sets = new LabelSets();
  /** By the number of the first output's labels: the mapping that has all of its outputs to itself. */
  readonly #owners: (MappedSeries | undefined)[] = [];
  /** The others, by metric and the numbers of their outputs. */
  readonly #others = new Map<string, MappedSeries | DropReason>();
  readonly #wanted = new Map<Metric, readonly Wanted[]>();
  readonly #changes = noLabelChanges();
  readonly #nextId: () => number;
  #overflowed = 0;
  #lateMetrics = 0;
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
      series: this.#sets.size,
      outputCollisions: this.#outputCollisions,
      replacedRunTags: this.#replacedRunTags,
    };
  }

  map(metric: Metric, tags: Tags): MappedSeries | DropReason {
    const { runLabels } = this.#options;
    if (runLabels.some(({ name, value }) => tags.has(name) && tags.get(name) !== value)) {
      this.#replacedRunTags++;
    }
    if (!this.#takesMetric(metric)) return "too_many_metrics";
    const candidate = this.#candidate(metric, this.#prepared(tags), this.#changes);
    const known = this.#find(metric, candidate);
    if (known !== undefined) return known;
    if (this.#sets.size + candidate.length <= this.#options.maxSeries) {
      return this.#register(metric, candidate);
    }
    this.#overflowed++;
    const overflow = this.#candidate(metric, this.#prepared(overflowTags), noLabelChanges());
    return this.#find(metric, overflow) ?? this.#register(metric, overflow);
  }

  /** Whether there is room for the series that takes what of the metric is beyond the limit. */
  #takesMetric(metric: Metric): boolean {
    if (this.#wanted.has(metric) || this.#sets.size < this.#options.maxSeries) return true;
    if (this.#lateMetrics >= lateMetricLimit) return false;
    this.#lateMetrics++;
    return true;
  }

  /** `url` repeats `name` or, where the script set a name, undoes it. */
  #prepared(tags: Tags): Tags {
    const { extraTags, nameTemplate } = this.#options;
    const dropsUrl = tags.has("url") && (tags.get("name") ?? "") !== "";
    if (!dropsUrl && extraTags.size === 0 && !nameTemplate) return tags;
    const prepared = new Map([...extraTags, ...tags]);
    if (dropsUrl) prepared.delete("url");
    if (nameTemplate) {
      for (const tag of ["name", "url"]) {
        const value = prepared.get(tag);
        if (value !== undefined) prepared.set(tag, nameTemplate(value));
      }
    }
    return prepared;
  }

  #candidate(metric: Metric, tags: Tags, changes: LabelChanges): Candidate {
    const wanted = this.#wantedOf(metric);
    // Room for the series' name and a label of its own.
    const base = toLabels(this.#options.runLabels, tags, changes, labelLimit - 2);
    return wanted.map((want) => {
      const own: Label[] = [{ name: "__name__", value: want.name ?? want.family.name }];
      if (want.label) own.push(want.label);
      const others = base.filter((label) => !own.some(({ name }) => name === label.name));
      changes.collisions += base.length - others.length;
      const labels = [...own, ...others].sort(byName);
      return { want, labels: this.#options.relabel(labels) };
    });
  }

  #find(metric: Metric, candidate: Candidate): MappedSeries | DropReason | undefined {
    const wanted = candidate.filter(({ labels }) => labels !== undefined);
    const numbers = wanted.map(({ labels = [] }) => this.#sets.find(labels));
    if (numbers.includes(-1)) return undefined;
    const owner = this.#owners[numbers[0] ?? -1];
    // Two metrics never share a sink.
    const isOwner =
      owner?.metric.name === metric.name &&
      owner.outputs.length === numbers.length &&
      owner.outputs.every(({ series }, at) => series.labels === this.#sets.at(numbers[at] ?? -1));
    return isOwner ? owner : this.#others.get(this.#keyOf(metric, candidate));
  }

  #keyOf({ name }: Metric, candidate: Candidate): string {
    return [name, ...candidate.map(({ labels }) => labels && this.#sets.find(labels))].join();
  }

  #register(metric: Metric, candidate: Candidate): MappedSeries | DropReason {
    const outputs: Output[] = [];
    const first = this.#sets.size;
    let hasCollided = false;
    for (const { want, labels: wantedLabels } of candidate) {
      if (!wantedLabels) continue;
      if (this.#sets.find(wantedLabels) >= 0) {
        hasCollided = true;
        this.#outputCollisions++;
        continue;
      }
      const labels = this.#sets.add(wantedLabels);
      const family = relabelledFamily(want, labels);
      const isNative = want.role === "native";
      outputs.push(toOutput(want, { id: this.#nextId(), labels, family, isNative }));
    }
    if (outputs.length === 0) {
      const reason = hasCollided ? "series_collision" : "relabelled_away";
      this.#others.set(this.#keyOf(metric, candidate), reason);
      return reason;
    }
    // A copy has no room to grow, which an array that grew has.
    const mapped = { metric, outputs: [...outputs] };
    if (hasCollided) this.#others.set(this.#keyOf(metric, candidate), mapped);
    else this.#owners[first] = mapped;
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

/** The outputs that a k6 series would have; those without labels are relabelled away. */
type Candidate = readonly {
  readonly want: Wanted;
  readonly labels: readonly Label[] | undefined;
}[];

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
