import { expect, it } from "vitest";
import {
  answers,
  fillIn,
  slowShare,
  unexplained,
  waits,
} from "../../../src/dashboards/attribution.ts";

const question = { testid: "run-1", rangeSeconds: 120, stepSeconds: 5, windowSeconds: 20 };

it.each([
  ["answers", answers()],
  ["waits", waits()],
  ["unexplained", unexplained],
  ["slowShare", slowShare],
])("leaves nothing of Grafana's in a filled-in query: %s", (_, expr) => {
  const query = fillIn(expr, question);
  expect(query).toContain('testid="run-1"');
  expect(query).toContain("[120s:5s]");
  expect(query).not.toContain("$");
});

it("asks for the histograms that the store has, and for the limits that are asked for", () => {
  const query = fillIn(slowShare, {
    ...question,
    histograms: "classic",
    slowFactor: 3,
    slowAbove: 0.5,
  });
  expect(query).toContain("k6_http_req_duration_seconds_bucket{");
  expect(query).toMatch(/clamp_max\(3 \* .*, 0\.5\)/);
});
