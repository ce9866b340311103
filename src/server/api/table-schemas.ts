/**
 * The body of a run's tables as JSON Schema; its type is RunTables of chart-data.ts.
 */
type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" } as const;
const number = { type: "number" } as const;
const numberOrNull = { type: "number", nullable: true } as const;
const list = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "array",
  items: { type: "object", required: Object.keys(properties), properties },
});

const trendRows = list({
  name: text,
  count: number,
  perSecond: number,
  failedRatio: numberOrNull,
  avg: numberOrNull,
  p50: numberOrNull,
  p95: numberOrNull,
  p99: numberOrNull,
  totalSeconds: numberOrNull,
});

const properties = {
  endpoints: trendRows,
  scenarios: trendRows,
  groups: trendRows,
  checks: list({ name: text, passes: number, fails: number }),
  errors: list({ name: text, status: text, errorCode: text, count: number }),
  ladder: list({ percent: number, seconds: numberOrNull }),
};

export const runTables: Schema = {
  description: "times in seconds; what takes most time first",
  type: "object",
  required: Object.keys(properties),
  properties,
};
