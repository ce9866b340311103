import { expect, it } from "vitest";
import { suggestion } from "../../../src/config/suggest.ts";

const known = ["pushInterval", "maxSeries", "trends", "trendStats", "remoteWriteUrl"];

it.each([
  ["pushIntervall", "pushInterval"],
  ["push_interval", "pushInterval"],
  ["PUSH-INTERVAL", "pushInterval"],
  ["maxSerise", "maxSeries"],
  ["trend", "trends"],
  ["trendstat", "trendStats"],
  ["url", "remoteWriteUrl"],
])("takes %j for %j", (name, expected) => {
  expect(suggestion(name, known)).toBe(` (did you mean "${expected}"?)`);
});

it.each(["database", "x", ""])("says nothing about %j", (name) => {
  expect(suggestion(name, known)).toBe("");
});
