import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { readK6Summary } from "../../../src/generate/k6-summary.ts";

const golden = new URL("../../golden/k6/", import.meta.url).pathname;

describe("readK6Summary", () => {
  it.each(["summary-v2.2.0.json", "summary-v1.8.1.json"])(
    "reads totals, types and threshold results from %s",
    async (file) => {
      const { metrics } = await readK6Summary(`${golden}${file}`);

      const types = [...metrics].map(([name, { type }]) => [name, type]);
      expect(Object.fromEntries(types)).toMatchObject({
        http_reqs: "counter",
        "http_reqs{status:404}": "counter",
        data_sent: "counter",
        checks: "rate",
        "checks{kind:strict}": "rate",
        http_req_failed: "rate",
        http_req_duration: "trend",
        "group_duration{group:::shop}": "trend",
      });
      expect(metrics.get("http_reqs")?.values.get("count")).toBe(60);
      expect(Object.fromEntries(metrics.get("http_req_failed")?.values ?? [])).toMatchObject({
        passes: 20,
        fails: 40,
      });
      expect([...(metrics.get("http_req_duration")?.values.keys() ?? [])].toSorted()).toEqual([
        "avg",
        "max",
        "med",
        "min",
        "p(90)",
        "p(95)",
      ]);

      const thresholds = [...metrics].flatMap(([name, metric]) =>
        [...metric.thresholds].map(([text, passed]) => [`${name}: ${text}`, passed]),
      );
      expect(Object.fromEntries(thresholds)).toEqual({
        "checks{check:answers 200}: rate==1": true,
        "checks{kind:strict}: rate>0.99": false,
        "http_req_duration{group:::shop::details}: p(95)<1000": true,
        "http_req_duration{group:::shop::details}: max<2000": true,
        "group_duration{group:::shop}: avg<2000": true,
        "http_reqs{status:404}: count>0": true,
      });
    },
  );

  it("reads the machine-readable form into the same names", async () => {
    const { metrics } = await readK6Summary(`${golden}summary-machine.json`);

    expect(metrics.get("http_reqs")?.values.get("count")).toBe(60);
    expect(Object.fromEntries(metrics.get("checks")?.values ?? [])).toEqual({
      passes: 48,
      fails: 32,
      value: 0.6,
    });
    expect(metrics.get("http_req_duration")?.values.has("p(95)")).toBe(true);
  });

  it("tells the types apart where a script has no such metric in our examples", async () => {
    await write({
      metrics: {
        gauge: { value: 3, min: 1, max: 4 },
        trend_with_count: { count: 5, "p(99)": 1 },
        trend_with_min_max: { min: 1, max: 4 },
      },
    });
    const { metrics } = await readK6Summary(file);
    expect([...metrics].map(([name, { type }]) => [name, type])).toEqual([
      ["gauge", "gauge"],
      ["trend_with_count", "trend"],
      ["trend_with_min_max", "trend"],
    ]);
  });

  it("leaves out what overflowed, which JSON can only write as null", async () => {
    await write({
      metrics: { sum: { count: null, rate: null }, trend: { avg: null, max: 1e308 } },
    });
    const { metrics } = await readK6Summary(file);
    expect(metrics.get("sum")).toMatchObject({ type: "counter", values: new Map() });
    expect(metrics.get("trend")?.values).toEqual(new Map([["max", 1e308]]));
  });

  it.each([
    { problem: "no metrics", content: { version: 3 }, message: /unknown form: metrics is no map/ },
    {
      problem: "a value that is no number",
      content: { metrics: { vus: { value: "5" } } },
      message: /unknown form: metrics\.vus\.value is no number/,
    },
    { problem: "text", content: undefined, message: /cannot be read/ },
  ])("refuses a file with $problem", async ({ content, message }) => {
    await write(content);
    const reading = readK6Summary(file);
    await expect(reading).rejects.toBeInstanceOf(InputError);
    await expect(reading).rejects.toThrow(message);
  });

  let folder = "";
  let file = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plimsoll-"));
    file = join(folder, "summary.json");
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function write(content: unknown): Promise<void> {
    await writeFile(file, content === undefined ? "no JSON" : JSON.stringify(content));
  }
});
