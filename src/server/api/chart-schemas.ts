/**
 * The bodies of charts, tables and comparisons as JSON Schema; their types are chart-data.ts and comparison.ts.
 */
import { maxPoints } from "../../charts/run-charts.ts";
import { errors } from "./schemas.ts";

type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" } as const;
const number = { type: "number" } as const;
const numberOrNull = { type: "number", nullable: true } as const;
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});

/** Beside what every route may answer. */
export const chartErrors: Schema = { ...errors, 502: errors[400] };

export const chartQuery: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    set: { type: "string", enum: ["run", "server"], default: "run" },
    from: { type: "string", format: "date-time", description: "default: the run's start" },
    to: { type: "string", format: "date-time", description: "default: the run's end, or now" },
    step: { type: "integer", minimum: 1, maximum: 86_400, description: "seconds between times" },
    points: {
      type: "integer",
      minimum: 1,
      maximum: maxPoints,
      default: 1_200,
      description: "at most so many times",
    },
    only: {
      type: "array",
      items: { type: "string", maxLength: 50 },
      maxItems: 50,
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
