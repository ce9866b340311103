import { describe, expect, it } from "vitest";
import {
  loadDifferences,
  loadModelOf,
  loadReasons,
  type RunLoad,
} from "../../../src/analyse/load.ts";

const usual: RunLoad = {
  peakVus: 50,
  requests: 6_000,
  iterations: 3_000,
  dropped: null,
  seconds: 60,
};
const scenarios = (...executors: string[]) => ({
  scenarios: Object.fromEntries(executors.map((executor, at) => [`s${at}`, { executor }])),
});

function reasons(run: Partial<RunLoad>, model: string, base: RunLoad = usual): string[] {
  const kind = loadModelOf(scenarios(model));
  return loadReasons(loadDifferences(base, { ...base, ...run }), { base: kind, run: kind });
}

describe("the model of a load", () => {
  it.each([
    [["constant-arrival-rate", "ramping-arrival-rate"], "rate"],
    [["ramping-vus"], "vus"],
    [["shared-iterations", "per-vu-iterations"], "iterations"],
    [["constant-vus", "constant-arrival-rate"], "unknown"],
    [["externally-controlled"], "unknown"],
    [[], "unknown"],
  ])("of %j is %s", (executors, model) => {
    expect(loadModelOf(scenarios(...executors))).toBe(model);
  });

  it.each([null, 7, "x", [], {}, { scenarios: null }, { scenarios: [1] }])(
    "of options %j is unknown",
    (options) => expect(loadModelOf(options)).toBe("unknown"),
  );
});

describe("two loads", () => {
  it("are alike where a slower system was asked less often by as many VUs", () => {
    expect(reasons({ requests: 4_000, iterations: 2_000 }, "constant-vus")).toEqual([]);
  });

  it("differ where as many VUs are not what the script fixes", () => {
    expect(reasons({ requests: 4_000, iterations: 2_000 }, "constant-arrival-rate")).toEqual([
      "load differed: iterations due per second −33.3 %",
    ]);
  });

  it("are alike where a slower system took more VUs for the same rate", () => {
    expect(reasons({ peakVus: 90 }, "ramping-arrival-rate")).toEqual([]);
    expect(reasons({ peakVus: 90 }, "ramping-vus")).toEqual(["load differed: peak VUs +80.0 %"]);
  });

  it("are alike where as many iterations took longer", () => {
    expect(reasons({ seconds: 90 }, "shared-iterations")).toEqual([]);
    expect(reasons({ seconds: 90 }, "constant-vus")).toEqual(["load differed: duration +50.0 %"]);
  });

  it("count iterations as due whether or not there was a VU for them", () => {
    const kept = { ...usual, dropped: 0 };
    expect(reasons({ iterations: 2_900, dropped: 100 }, "constant-arrival-rate", kept)).toEqual([]);
    expect(reasons({ iterations: 2_700, dropped: 300 }, "constant-arrival-rate", kept)).toEqual([
      "load differed: the base dropped 0.0 % of its iterations, the run 10.0 %",
    ]);
  });

  it("are held against each other in all that is known where nobody says what was fixed", () => {
    expect(reasons({ requests: 4_000 }, "externally-controlled")).toEqual([
      "load differed: requests per second −33.3 %",
    ]);
    expect(reasons({}, "externally-controlled")).toEqual([]);
  });

  it("differ where one fixes VUs and the other a rate", () => {
    const rows = loadDifferences(usual, usual);
    expect(loadReasons(rows, { base: "vus", run: "rate" })).toEqual([
      "load differed: the base fixes the number of VUs, the run a rate of iterations",
    ]);
  });

  it("are not called alike where one of them is not known", () => {
    expect(reasons({ peakVus: null }, "constant-vus")).toEqual([
      "load differed: peak VUs known of one run only",
    ]);
    expect(reasons({ iterations: 5 }, "shared-iterations", { ...usual, iterations: 0 })).toEqual([
      "load differed: iterations: none in the base",
    ]);
  });

  it.each([
    [0.049, []],
    [0.051, ["load differed: peak VUs +5.1 %"]],
    [-0.051, ["load differed: peak VUs −5.1 %"]],
  ])("differ above five per cent: %f", (ratio, expected) => {
    const base = { ...usual, peakVus: 1_000 };
    expect(reasons({ peakVus: 1_000 * (1 + ratio) }, "constant-vus", base)).toEqual(expected);
  });
});
