import { describe, expect, it } from "vitest";
import { decodeMetricSet } from "../../../../src/cloud/metric-set.ts";
import type { MetricSet } from "../../../../src/cloud/metric-set.ts";
import { Watermark } from "../../../../src/server/live/watermark.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";

const t0 = 1_795_000_000_000;

/** A push with a bucket of a second that ends at a time. */
function endingAt(ms: number): MetricSet {
  const values = [{ seconds: ms / 1_000 - 1, values: [1] }];
  const series = [{ tags: {}, values }];
  return decodeMetricSet(encodeMetricSet([{ name: "vus", type: "gauge", series }]));
}

describe("Watermark", () => {
  it("waits for the generator whose samples come latest", () => {
    const mark = new Watermark(t0, false);
    mark.arrived(endingAt(t0), t0 + 100);
    mark.arrived(endingAt(t0), t0 + 1_900);
    expect(mark.at(t0 + 5_000)).toBe(t0 + 5_000 - 1_900 - 250);
  });

  it("takes a generator whose clock is ahead for one whose samples come at once", () => {
    const mark = new Watermark(t0, false);
    mark.arrived(endingAt(t0 + 60_000), t0);
    expect(mark.at(t0 + 1_000)).toBe(t0 + 750);
  });

  it("forgets a delay after some time, and waits for nobody longer than 15 s", () => {
    const mark = new Watermark(t0, false);
    mark.arrived(endingAt(t0 - 3_600_000), t0);
    expect(mark.at(t0)).toBe(t0 - 15_250);
    for (let second = 1; second <= 21; second++) {
      mark.arrived(endingAt(t0 + second * 1_000), t0 + second * 1_000 + 100);
    }
    expect(mark.at(t0 + 22_000)).toBe(t0 + 22_000 - 350);
  });

  it("waits after a restart for what generators have kept", () => {
    expect(new Watermark(t0, true).at(t0)).toBe(t0 - 15_250);
  });
});
