import { describe, expect, it } from "vitest";
import { ThresholdWatch } from "../../../../src/server/live/threshold-watch.ts";

const duration = { name: "http_req_duration", type: "trend", contains: "time" } as const;
const failed = { name: "http_req_failed", type: "rate", contains: "default" } as const;
const t0 = 1_795_000_000_000;

function trend(...values: number[]) {
  const observations = {
    size: values.length,
    values: Float64Array.from(values),
    counts: new Float64Array(values.length).fill(1),
    count: values.length,
    sum: values.reduce((total, value) => total + value, 0),
    min: Math.min(...values),
    max: Math.max(...values),
  };
  return { type: "trend", observations } as const;
}

function watchOf(...thresholds: readonly (readonly [metric: string, expression: string])[]) {
  return new ThresholdWatch(thresholds.map(([metric, expression]) => ({ metric, expression })));
}

describe("ThresholdWatch", () => {
  it("judges a metric over all its series, and a submetric over those that its filter matches", () => {
    const watch = watchOf(
      ["http_req_duration", "max<400"],
      ["http_req_duration{status:200}", "max<400"],
      ["http_req_duration{status:200,name:cart}", "avg<150"],
      ["http_req_failed", "rate<0.5"],
    );
    const series = (status: string, name: string) =>
      watch.series(duration, new Map(Object.entries({ status, name, vu: "1" })));
    watch.bucket(series("200", "cart"), t0, t0, trend(100, 180));
    watch.bucket(series("200", "home"), t0, t0, trend(300));
    watch.bucket(series("500", "cart"), t0, t0, trend(900));
    const rate = { type: "rate", nonzeros: 1, zeros: 3 } as const;
    watch.bucket(watch.series(failed, new Map()), t0, t0, rate);
    expect(watch.judge({ runSeconds: 1, isFinal: false })).toEqual([
      { value: 900, ok: false },
      { value: 300, ok: true },
      { value: 140, ok: true },
      { value: 0.25, ok: true },
    ]);
  });

  it("has a quantile within 1 %, in milliseconds", () => {
    const watch = watchOf(["http_req_duration", "p(95)<500"]);
    const values = Array.from({ length: 1_000 }, (_, at) => at + 1);
    watch.bucket(watch.series(duration, new Map()), t0, t0, trend(...values));
    const [{ value = NaN } = { value: NaN }] = watch.judge({ runSeconds: 1, isFinal: true });
    expect(Math.abs(value - 950)).toBeLessThan(9.5);
  });

  it("says nothing of what has no samples before the end", () => {
    const watch = watchOf(
      ["http_req_duration{status:404}", "max<400"],
      ["http_req_failed", "rate<1"],
    );
    watch.series(duration, new Map([["status", "200"]]));
    const judged = (isFinal: boolean) =>
      watch.judge({ runSeconds: 1, isFinal }).map(({ ok }) => ok);
    expect(judged(false)).toEqual([undefined, undefined]);
    expect(judged(true)).toEqual([true, true]);
  });

  it("counts each metric as a whole, once", () => {
    const watch = watchOf(["http_req_duration", "max<400"], ["http_req_duration{a:1}", "max<400"]);
    for (const tags of [{ a: "1" }, { a: "2" }]) {
      watch.bucket(watch.series(duration, new Map(Object.entries(tags))), t0, t0, trend(1, 2));
    }
    expect(watch.totals().map(({ metric, value }) => [metric.name, value])).toEqual([
      ["http_req_duration", 4],
    ]);
  });
});
