/**
 * The bodies of charts, tables and comparisons as JSON Schema; their types are chart-data.ts and comparison.ts.
 */
import { maxPoints } from "../../charts/run-charts.ts";
import { errors, maxRunParamLength } from "./schemas.ts";

type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" } as const;
const number = { type: "number" } as const;
const numberOrNull = { type: "number", nullable: true } as const;
const runParam = { type: "string", minLength: 1, maxLength: maxRunParamLength } as const;
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});

/** Beside what every route may answer. */
export const chartErrors: Schema = { ...errors, 502: errors[400] };

const points = {
  type: "integer",
  minimum: 1,
  maximum: maxPoints,
  default: 1_200,
  description: "at most so many times",
} as const;

export const chartQuery: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    set: { type: "string", enum: ["run", "server"], default: "run" },
    from: { type: "string", format: "date-time", description: "default: the run's start" },
    to: { type: "string", format: "date-time", description: "default: the run's end, or now" },
    step: { type: "integer", minimum: 1, maximum: 86_400, description: "seconds between times" },
    points,
    only: {
      type: "array",
      items: { type: "string", maxLength: 50 },
      description: "ids of the charts that are wanted; may be repeated. Default: all of the set",
    },
  },
};

const chartSetBody = object({
  set: { type: "string", enum: ["run", "server"] },
  step: { ...number, description: "seconds" },
  times: { ...list(number), description: "Unix seconds; each stands for the step before it" },
  charts: list(
    object({
      id: text,
      title: text,
      description: text,
      unit: text,
      series: list(object({ name: text, values: list(numberOrNull) })),
    }),
  ),
  missing: { ...list(text), description: "charts for which the store has nothing" },
});

export const chartSet: Schema = { description: "charts on common times", ...chartSetBody };

export const compareQuery: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["base", "run"],
  properties: {
    base: { ...runParam, description: "number or testid of the one to compare with" },
    run: { ...runParam, description: "number or testid of the one that is judged" },
    points,
  },
};

const difference = object({
  base: numberOrNull,
  run: numberOrNull,
  ratio: { ...numberOrNull, description: "0.2: a fifth more than base" },
});

const side = object({ id: { type: "integer" }, charts: chartSetBody });

export const comparison: Schema = {
  description: "courses from the same start, and differences",
  ...object({
    base: side,
    run: side,
    comparable: object({ ok: { type: "boolean" }, reasons: list(text) }),
    load: list(object({ name: text, unit: text, difference })),
    ladder: list(object({ percent: number, difference })),
    endpoints: list(
      object({
        name: text,
        count: difference,
        perSecond: difference,
        failedRatio: difference,
        p50: difference,
        p95: difference,
        p99: difference,
      }),
    ),
  }),
};
