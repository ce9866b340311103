/**
 * A Prometheus data source for Grafana's libraries: what its plugin does between a panel's query and the frames.
 *
 * In:  queries as dashboards hold them (`expr`, `range`, `instant`, `format`, `legendFormat`, `interval`).
 * Out: one frame per series, or one per query as a table or a heat map (see frames.ts).
 *
 * The arithmetic of steps is documented in "Prometheus template variables" of Grafana's manual.
 */
import {
  type AnnotationEvent,
  type AnnotationQuery,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceInstanceSettings,
  type MetricFindValue,
  type ScopedVars,
  type TimeRange,
  rangeUtil,
} from "@grafana/data";
import { getTemplateSrv } from "@grafana/runtime";
import type { DataQuery } from "@grafana/schema";
import { type Observable, from, of } from "rxjs";
import {
  type PromResult,
  fillLegend,
  toHeatmapFrames,
  toSeriesFrames,
  toTableFrames,
} from "./frames";

export interface PromQuery extends DataQuery {
  expr: string;
  range?: boolean;
  instant?: boolean;
  format?: "time_series" | "table" | "heatmap";
  legendFormat?: string;
  /** The smallest step, e.g. "15s". */
  interval?: string;
}

/** The points of one series that Prometheus gives at most. */
const maxPoints = 11_000;

/** Requests that have no answer yet: the page is ready when there are none. */
export let pendingRequests = 0;

export class PrometheusApi extends DataSourceApi<PromQuery> {
  override interval: string;
  override annotations = {
    prepareAnnotation: (json: PromAnnotation) => json,
    prepareQuery: (annotation: PromAnnotation): PromQuery => ({
      refId: "Anno",
      expr: annotation.expr ?? annotation.target?.expr ?? "",
      interval: annotation.step || "60s",
      range: true,
      format: "time_series",
    }),
    processEvents: (annotation: PromAnnotation, frames: DataFrame[]) =>
      of(frames.flatMap((frame) => toEvents(annotation, frame))),
  };

  constructor(settings: DataSourceInstanceSettings, scrapeInterval: string) {
    super(settings);
    this.interval = scrapeInterval;
  }

  override query(request: DataQueryRequest<PromQuery>): Observable<DataQueryResponse> {
    return from(this.#run(request));
  }

  override async testDatasource(): Promise<{ status: string; message: string }> {
    await this.get("query", { query: "1" });
    return { status: "success", message: "answers" };
  }

  async #run(request: DataQueryRequest<PromQuery>): Promise<DataQueryResponse> {
    const shown = request.targets.filter((target) => !target.hide && target.expr);
    const answers = await Promise.all(
      shown.map(async (target) => {
        try {
          return { target, results: await this.#runTarget(target, request) };
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          return { target, results: [], error: { refId: target.refId, message } };
        }
      }),
    );
    const tables = answers.filter(({ target }) => target.format === "table");
    const data = answers.flatMap(({ target, results }) => {
      if (target.format === "table") return toTableFrames(target, results, tables.length > 1);
      if (target.format === "heatmap") return toHeatmapFrames(target, results);
      return toSeriesFrames(target, results);
    });
    const errors = answers.flatMap(({ error }) => (error ? [error] : []));
    return { data, ...(errors.length > 0 && { errors }) };
  }

  async #runTarget(target: PromQuery, request: DataQueryRequest<PromQuery>): Promise<PromResult[]> {
    const step = this.stepSeconds(target, request);
    const expr = this.interpolate(target.expr, request, target);
    const results: PromResult[] = [];
    const [fromSeconds, toSeconds] = secondsOf(request.range);
    if (target.range || !target.instant) {
      // Aligned to the step, so that a refresh draws the same points.
      const start = Math.floor(fromSeconds / step) * step;
      const end = Math.floor(toSeconds / step) * step;
      const parameters = { query: expr, start: `${start}`, end: `${end}`, step: `${step}` };
      results.push(...(await this.get<PromAnswer>("query_range", parameters)).result);
    }
    if (target.instant) {
      const answer = await this.get<PromAnswer>("query", { query: expr, time: `${toSeconds}` });
      results.push(...toVector(answer, toSeconds));
    }
    return results;
  }

  /** The step of a range query: the panel's interval, not finer than the query's own or than 11 000 points. */
  stepSeconds(target: PromQuery, request: DataQueryRequest<PromQuery>): number {
    const own = getTemplateSrv().replace(target.interval ?? "", request.scopedVars);
    const [fromSeconds, toSeconds] = secondsOf(request.range);
    return Math.max(
      request.intervalMs / 1000,
      own ? intervalSeconds(own) : 0,
      Math.ceil((toSeconds - fromSeconds) / maxPoints),
    );
  }

  /** The expression that Prometheus gets. `$__rate_interval` holds four scrapes, and one more than the step. */
  interpolate(text: string, request: DataQueryRequest<PromQuery>, target?: PromQuery): string {
    const step = target ? this.stepSeconds(target, request) : request.intervalMs / 1000;
    const scrape = intervalSeconds(target?.interval || this.interval);
    const rate = Math.max(step + scrape, 4 * scrape);
    const [fromSeconds, toSeconds] = secondsOf(request.range);
    const range = Math.round(toSeconds - fromSeconds);
    const values: Record<string, string | number> = {
      __interval: durationText(step),
      __interval_ms: step * 1000,
      __rate_interval: durationText(rate),
      __rate_interval_ms: rate * 1000,
      __range: `${range}s`,
      __range_s: range,
      __range_ms: range * 1000,
    };
    const scopedVars: ScopedVars = { ...request.scopedVars };
    for (const [name, value] of Object.entries(values)) scopedVars[name] = { text: value, value };
    return getTemplateSrv().replace(text, scopedVars, escapeValue);
  }

  /** `label_values(label)`, `label_values(selector, label)`, `query_result(expr)`, `metrics(regex)`, `label_names()`. */
  override async metricFindQuery(
    query: string | { query?: string },
    options?: { range?: TimeRange; scopedVars?: ScopedVars },
  ): Promise<MetricFindValue[]> {
    const range = options?.range;
    if (!range) throw new Error("a variable's query needs a time range");
    const request = { range, intervalMs: 1000, scopedVars: options?.scopedVars ?? {} };
    const source = typeof query === "string" ? query : (query.query ?? "");
    const text = this.interpolate(source, request as unknown as DataQueryRequest<PromQuery>).trim();
    const [start, end] = secondsOf(range).map(String);
    const window = { start: start!, end: end! };
    const values = /^label_values\((?:(.+),)?\s*([a-zA-Z_]\w*)\s*\)$/s.exec(text);
    if (values) {
      const [, selector, label] = values;
      const match: Record<string, string> = selector ? { "match[]": selector.trim() } : {};
      return asFound(await this.get<string[]>(`label/${label}/values`, { ...window, ...match }));
    }
    if (/^label_names\(\)$/.test(text)) return asFound(await this.get<string[]>("labels", window));
    const metrics = /^metrics\((.*)\)$/s.exec(text);
    if (metrics) {
      const names = await this.get<string[]>("label/__name__/values", window);
      return asFound(names.filter((name) => new RegExp(metrics[1]!).test(name)));
    }
    const result = /^query_result\((.+)\)$/s.exec(text);
    if (!result) throw new Error(`cannot read the variable's query ${JSON.stringify(source)}`);
    const answer = await this.get<PromAnswer>("query", { query: result[1]!, time: end! });
    return toVector(answer, Number(end)).map(({ metric, values }) => {
      const [atSeconds, value] = values![0]!;
      const { __name__: name = "", ...labels } = metric;
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      return { text: `${name}{${pairs.join(",")}} ${value} ${atSeconds * 1000}` };
    });
  }

  /** @throws {Error} with Prometheus's own message */
  async get<T>(path: string, parameters: Record<string, string>): Promise<T> {
    pendingRequests++;
    try {
      const query = new URLSearchParams(parameters);
      const isQuery = path.startsWith("query");
      const response = isQuery
        ? await fetch(`/prometheus/api/v1/${path}`, { method: "POST", body: query })
        : await fetch(`/prometheus/api/v1/${path}?${query}`);
      const answer = (await response.json()) as { data?: T; error?: string };
      if (answer.data === undefined) throw new Error(answer.error ?? `HTTP ${response.status}`);
      return answer.data;
    } finally {
      pendingRequests--;
    }
  }
}

interface PromAnswer {
  resultType: "matrix" | "vector" | "scalar" | "string";
  result: PromResult[];
}

interface PromAnnotation extends AnnotationQuery {
  expr?: string;
  step?: string;
  tagKeys?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: boolean | "on" | "off";
  target?: PromQuery & AnnotationQuery["target"];
}

/** Consecutive samples that are not zero are one event; with `useValueForTime` each value is an event's time in ms. */
function toEvents(annotation: PromAnnotation, frame: DataFrame): AnnotationEvent[] {
  const [time, value] = frame.fields;
  if (!time || !value) return [];
  const labels = value.labels ?? {};
  const text = {
    title: fillLegend(annotation.titleFormat ?? "", labels),
    text: fillLegend(annotation.textFormat ?? "", labels),
    tags: (annotation.tagKeys ?? "").split(",").flatMap((key) => labels[key.trim()] ?? []),
  };
  const stepMs = intervalSeconds(annotation.step || "60s") * 1000;
  const byValue = annotation.useValueForTime === true || annotation.useValueForTime === "on";
  const events: (AnnotationEvent & { time: number; timeEnd: number })[] = [];
  time.values.forEach((at: number, index) => {
    const sample = value.values[index] as number | null;
    if (!sample) return;
    const eventMs = byValue ? Math.floor(sample) : at;
    const last = events.at(-1);
    if (last && eventMs <= last.timeEnd + stepMs) last.timeEnd = eventMs;
    else events.push({ time: eventMs, timeEnd: eventMs, ...text });
  });
  return events.map((event) => ({ ...event, isRegion: event.timeEnd > event.time }));
}

function toVector(answer: PromAnswer, atSeconds: number): PromResult[] {
  if (answer.resultType === "scalar") {
    return [{ metric: {}, values: [answer.result as unknown as [number, string]] }];
  }
  return answer.result.map(({ metric, value, histogram, values }) => ({
    metric,
    ...(values && { values }),
    ...(value && { values: [[atSeconds, value[1]]] }),
    ...(histogram && { histograms: [histogram] }),
  }));
}

const asFound = (names: string[]): MetricFindValue[] => names.map((text) => ({ text }));

const secondsOf = (range: TimeRange): [from: number, to: number] => [
  range.from.valueOf() / 1000,
  range.to.valueOf() / 1000,
];

const intervalSeconds = (text: string): number =>
  rangeUtil.intervalToMs(text.replace(/^[<>]=?/, "")) / 1000;

const durationText = (seconds: number): string =>
  Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;

/** A value inside a quoted matcher: literal for a single choice, a regular expression where several may be chosen. */
function escapeValue(
  value: string | string[],
  variable: { multi?: boolean; includeAll?: boolean },
): string {
  const quoted = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  const literal = (text: string) =>
    text.replaceAll("\\", "\\\\\\\\").replaceAll(/[$^*{}[\]'+?.()|]/g, "\\\\$&");
  if (!variable.multi && !variable.includeAll) return quoted(String(value));
  if (!Array.isArray(value)) return literal(String(value));
  const parts = value.map(literal);
  return parts.length === 1 ? parts[0]! : `(${parts.join("|")})`;
}
