/**
 * The charts of the set `run`: what the generators measured, in the order in which they are shown.
 */
import type { Chart } from "./chart-data.ts";
import type { RunQuestions } from "./run-questions.ts";

export async function runCharts(questions: RunQuestions): Promise<Chart[]> {
  return await Promise.all([requests(questions), vus(questions)]);
}

async function requests(questions: RunQuestions): Promise<Chart> {
  const [done, failed] = await Promise.all([
    questions.growth("k6_http_reqs_total"),
    questions.growth("k6_http_req_failed_total", 'condition="nonzero"'),
  ]);
  return {
    id: "requests",
    title: "Requests",
    description:
      "Requests per second, and those of them that failed. If it falls under the same VUs, requests take longer.",
    unit: "per_second",
    series: [
      { name: "done", values: questions.perSecond(done) },
      { name: "failed", values: questions.perSecond(failed) },
    ],
  };
}

async function vus(questions: RunQuestions): Promise<Chart> {
  const [running, ready] = await Promise.all([
    questions.gauge("k6_vus"),
    questions.gauge("k6_vus_max"),
  ]);
  return {
    id: "vus",
    title: "Virtual users",
    description:
      "VUs that run iterations, and those that are ready. If all are in use, an arrival rate cannot be kept: give the scenario more.",
    unit: "count",
    series: [
      { name: "running", values: running },
      { name: "ready", values: ready },
    ],
  };
}
