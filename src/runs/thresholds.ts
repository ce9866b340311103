/**
 * The thresholds of a script, from the `options` that k6 sends.
 *
 * In:  `options.thresholds`: a metric, or a submetric such as `http_req_duration{status:200}`, to a list of
 *      expressions or of `{ threshold, abortOnFail, delayAbortEval }`.
 * Out: one `Threshold` per expression, all of them valid; and what a submetric's filter matches.
 *
 * `threshold-expression.ts` judges them. Source: k6 `metrics/thresholds.go`, `metrics/metric.go`.
 */
import { parseDurationMs } from "../config/duration.ts";
import { InputError, messageOf } from "../errors.ts";
import type { Json, Threshold } from "./run-record.ts";
import { parseExpression } from "./threshold-expression.ts";

/** Of one run: each is judged every two seconds. A thousand is more than anybody reads. */
const maxThresholds = 1_000;

/** Which samples a threshold is about. */
export interface MetricSelector {
  readonly metric: string;
  /** A series matches that has all of these, whatever else it has. */
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * In the order of the script; none for undefined and null, which k6 sends for a script without thresholds.
 *
 * @throws InputError that names every threshold that cannot be understood, and why; for more than 1 000
 */
export function parseThresholds(thresholds: Json | undefined): Threshold[] {
  if (thresholds === undefined || thresholds === null) return [];
  if (!isObject(thresholds))
    throw problem("expected metrics with lists of expressions", thresholds);
  const parsed: Threshold[] = [];
  const problems: string[] = [];
  for (const [metric, list] of Object.entries(thresholds)) {
    try {
      parseSelector(metric);
      if (!isList(list)) throw problem("expected a list of expressions", list);
    } catch (error) {
      problems.push(`${JSON.stringify(metric)}: ${messageOf(error)}`);
      continue;
    }
    for (const item of list) {
      try {
        parsed.push(parseThreshold(metric, item));
      } catch (error) {
        problems.push(`${JSON.stringify(metric)}: ${messageOf(error)}`);
      }
    }
  }
  if (problems.length > 0) throw new InputError(`thresholds: ${problems.join("; ")}`);
  if (parsed.length > maxThresholds) {
    throw new InputError(`there are ${parsed.length} thresholds: expected up to ${maxThresholds}`);
  }
  return parsed;
}

/**
 * `name` or `name{tag:value,tag2:"value2"}`. Quotes and spaces around tags and values do not count; a value may
 * contain colons, as `group:::login` does.
 *
 * @throws InputError
 */
export function parseSelector(text: string): MetricSelector {
  const [, metric = "", filter] = /^([^{}]+)(?:\{(.*)\})?$/s.exec(text) ?? [];
  if (metric === "")
    throw problem("expected a metric such as http_reqs or http_reqs{tag:value}", text);
  const tags = new Map<string, string>();
  for (const pair of filter?.split(",") ?? []) {
    const [, tag = "", value = ""] = /^([^:]*):(.+)$/s.exec(pair) ?? [];
    if (value === "") throw problem("expected tag:value", pair);
    tags.set(unquote(tag), unquote(value));
  }
  return { metric, tags };
}

/** An empty value is asked for where the tag is absent. */
export function matches(selector: MetricSelector, tags: ReadonlyMap<string, string>): boolean {
  for (const [tag, value] of selector.tags) {
    if ((tags.get(tag) ?? "") !== value) return false;
  }
  return true;
}

function parseThreshold(metric: string, item: Json): Threshold {
  if (typeof item === "string") {
    parseExpression(item);
    return { metric, expression: item, abortOnFail: false, delayAbortEvalMs: 0 };
  }
  if (!isObject(item) || typeof item["threshold"] !== "string") {
    throw problem('expected an expression or {"threshold": expression}', item);
  }
  const { threshold, abortOnFail, delayAbortEval } = item;
  parseExpression(threshold);
  if (typeof (abortOnFail ?? false) !== "boolean") {
    throw problem("abortOnFail: expected true or false", abortOnFail);
  }
  const delayAbortEvalMs = parseDelayMs(delayAbortEval);
  return { metric, expression: threshold, abortOnFail: abortOnFail === true, delayAbortEvalMs };
}

/** A Go duration, or a number of milliseconds. */
function parseDelayMs(delay: Json | undefined): number {
  if (delay === undefined || delay === null) return 0;
  if (typeof delay === "number" && delay >= 0) return delay;
  if (typeof delay === "string") return parseDurationMs(delay);
  throw problem('delayAbortEval: expected a duration such as "10s"', delay);
}

/** A regular expression would take the square of the length of a text that is full of quotes. */
function unquote(text: string): string {
  const trimmed = text.trim();
  const isQuote = (at: number) => trimmed[at] === '"' || trimmed[at] === "'";
  let [start, end] = [0, trimmed.length];
  while (isQuote(start)) start++;
  while (end > start && isQuote(end - 1)) end--;
  return trimmed.slice(start, end);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !isList(value);
}

/** `Array.isArray` does not know of arrays that are read-only. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function problem(expected: string, value: Json | undefined): InputError {
  return new InputError(`${expected}, not ${JSON.stringify(value)}`);
}
