/**
 * All four types of custom metric, with and without time: fractional counters, trends with zeros and
 * negative values, a gauge that several VUs set, rates of numbers and booleans; also from `setup` and
 * `teardown`, whose samples carry no scenario.
 *
 * Every total is known before the run. With ITERATIONS = n (a multiple of 8, default 40):
 * weight_tonnes = 0.1 n, cpu_time = 1.5 n, temperature sums to 0.
 * Environment: BASE_URL (the shop), ITERATIONS.
 */
import http from "k6/http";
import { Counter, Gauge, Rate, Trend } from "k6/metrics";
import exec from "k6/execution";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

const weightTonnes = new Counter("weight_tonnes");
const cpuTime = new Counter("cpu_time", true);
const phases = new Counter("phases");
const queueLength = new Gauge("queue_length");
const lastSlept = new Gauge("last_slept", true);
const cacheHit = new Rate("cache_hit");
const oddNumber = new Rate("odd_number");
const temperature = new Trend("temperature");
const parseTime = new Trend("parse_time", true);

export const options = {
  vus: 4,
  iterations: Number(__ENV.ITERATIONS || 40),
  thresholds: { temperature: ["min>=-4", "max<=3.5"], cache_hit: ["rate>0"] },
};

export function setup() {
  phases.add(1, { phase: "setup" });
}

export default function () {
  const iteration = exec.scenario.iterationInTest;
  const response = http.get(`${baseUrl}/products`);

  weightTonnes.add(0.1, { cargo: "coal" });
  cpuTime.add(1.5);
  queueLength.add(iteration - 10);
  lastSlept.add(response.timings.waiting);
  cacheHit.add(iteration % 4 === 0);
  oddNumber.add(iteration % 2 === 1 ? iteration : 0);
  // -4, -3, -2, -1, 0, 3, 3.5, 3.5: negative, zero and positive, sum 0.
  temperature.add([-4, -3, -2, -1, 0, 3, 3.5, 3.5][iteration % 8], { deck: `${iteration % 2}` });
  parseTime.add(iteration % 8 === 0 ? 0 : response.timings.receiving);
}

export function teardown() {
  phases.add(1, { phase: "teardown" });
}
