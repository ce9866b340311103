/**
 * The charts of the set `run`: what the generators measured, in the order in which they are shown.
 */
import { anyOf } from "../query/promql.ts";
import type { ChartSeries } from "./chart-data.ts";
import type { ChartPlan } from "./chart-plan.ts";
import { quantileOf } from "./distribution.ts";
import { distributionsOf, quantilesBy } from "./distributions.ts";
import { generatorLabels, ratioOf, sumOf, type Values } from "./growth.ts";
import type { RunQuestions } from "./run-questions.ts";

/** Of a request, in the order in which they come. Source: k6's documentation, "HTTP-specific built-in metrics". */
const phases = [
  ["blocked", "k6_http_req_blocked_seconds"],
  ["connecting", "k6_http_req_connecting_seconds"],
  ["TLS handshake", "k6_http_req_tls_handshaking_seconds"],
  ["sending", "k6_http_req_sending_seconds"],
  ["waiting", "k6_http_req_waiting_seconds"],
  ["receiving", "k6_http_req_receiving_seconds"],
] as const;

/** More lines than that nobody tells apart. */
const shownEndpoints = 10;

export const runSet: readonly ChartPlan[] = [
  {
    id: "requests",
    title: "Requests",
    description:
      "Requests per second, and how many of them failed. If it falls under the same VUs, requests take longer.",
    unit: "per_second",
    series: async (questions) => [
      perSecond("done", questions, await questions.growth("k6_http_reqs_total")),
      perSecond(
        "failed",
        questions,
        await questions.growth("k6_http_req_failed_total", 'condition="nonzero"'),
      ),
    ],
  },
  {
    id: "latency",
    title: "Latency",
    description:
      "Half of the requests took no longer than p50, one in a hundred took longer than p99. If p99 leaves p50, some requests wait for something.",
    unit: "seconds",
    series: async (questions) => {
      const found = await distributionsOf(questions, { trend: "k6_http_req_duration_seconds" });
      const steps = found.get("") ?? [];
      return [50, 95, 99].map((percent) => ({
        name: `p${percent}`,
        values: steps.map((step) => step && quantileOf(percent / 100, step)),
      }));
    },
  },
  {
    id: "failed",
    title: "Failures",
    description:
      "Share of the requests, and of the checks, that failed. If it rises with the latency, look for time-outs; an error is often quick, so that latencies look better than they are.",
    unit: "ratio",
    series: async (questions) => [
      {
        name: "requests",
        values: await share(questions, "k6_http_req_failed_total", "nonzero"),
      },
      { name: "checks", values: await share(questions, "k6_checks_total", "zero") },
    ],
  },
  {
    id: "vus",
    title: "Virtual users",
    description:
      "VUs that run iterations, and those that are ready. If all are in use, an arrival rate cannot be kept: give the scenario more.",
    unit: "count",
    series: async (questions) => [
      { name: "running", values: await questions.gauge("k6_vus") },
      { name: "ready", values: await questions.gauge("k6_vus_max") },
    ],
  },
  {
    id: "iterations",
    title: "Iterations",
    description:
      "Iterations per second that were done, and those that no VU was free for. If any are dropped, the load was less than the script says.",
    unit: "per_second",
    series: async (questions) => [
      perSecond("done", questions, await questions.growth("k6_iterations_total")),
      perSecond("dropped", questions, await questions.growth("k6_dropped_iterations_total")),
    ],
  },
  {
    id: "phases",
    title: "Where a request's time goes",
    description:
      "Mean seconds of each phase. Waiting is the system under test; if blocked or connecting grow, connections are not used again; if receiving grows, answers or the network.",
    unit: "seconds",
    series: async (questions) => {
      const requests = await questions.growth("k6_http_reqs_total");
      return await Promise.all(
        phases.map(async ([name, trend]) => ({
          name,
          values: meanOf(await questions.secondsOf(trend), requests),
        })),
      );
    },
  },
  {
    id: "endpoints",
    title: "Endpoints, p95",
    description:
      "The ten endpoints that took most time in all, by name. If one alone rises, look for what only it does; if all do, look at what they share.",
    unit: "seconds",
    series: async (questions) => {
      const names = await questions.totals.busiest(shownEndpoints);
      if (names.length === 0) return [];
      const found = await quantilesBy(questions, 0.95, {
        trend: "k6_http_req_duration_seconds",
        matchers: `name=~${anyOf(names)}`,
        by: "name",
      });
      return names.map((name) => ({ name, values: found.get(name) ?? [] }));
    },
  },
  {
    id: "data",
    title: "Data",
    description:
      "Bytes per second that the generators received and sent. If a line is flat at the top while VUs grow, the network is the limit.",
    unit: "bytes_per_second",
    series: async (questions) => [
      perSecond("received", questions, await questions.growth("k6_data_received_total")),
      perSecond("sent", questions, await questions.growth("k6_data_sent_total")),
    ],
  },
  {
    id: "generator",
    title: "Is the generator saturated?",
    description:
      "Share of the generator's CPU in use (of the busiest one, over 20 s), of its VUs in use, and of iterations dropped. If CPU is over 0.8, durations begin to hold the generator's own queue.",
    unit: "ratio",
    series: async (questions) => {
      const [cpu, running, ready, done, dropped] = await Promise.all([
        questions.course(cpuShare(questions)),
        questions.gauge("k6_vus"),
        questions.gauge("k6_vus_max"),
        questions.growth("k6_iterations_total"),
        questions.growth("k6_dropped_iterations_total"),
      ]);
      return [
        { name: "CPU", values: cpu },
        { name: "VUs in use", values: ratioOf(running, ready) },
        {
          name: "iterations dropped",
          values: ratioOf(dropped, sumOf([done, dropped], questions.grid.count)),
        },
      ];
    },
  },
];

function perSecond(name: string, { grid }: RunQuestions, growth: Values): ChartSeries {
  return { name, values: growth.map((value) => (value === null ? null : value / grid.step)) };
}

/** Of a rate's samples, those with this condition. */
async function share(
  questions: RunQuestions,
  series: string,
  condition: "nonzero" | "zero",
): Promise<Values> {
  const [part, whole] = await Promise.all([
    questions.growth(series, `condition="${condition}"`),
    questions.growth(series),
  ]);
  return ratioOf(part, whole);
}

function meanOf(seconds: Values, count: Values): Values {
  return seconds.map((value, index) => {
    const of = count[index] ?? 0;
    return value === null || of === 0 ? null : value / of;
  });
}

/** Written every 5 s, and once more by whoever scrapes it: of each process one is kept. */
function cpuShare(questions: RunQuestions): string {
  const seconds = Math.max(20, questions.grid.step);
  const used = `max by (process, ${generatorLabels}) (rate(${questions.run.own("plimsoll_generator_cpu_seconds_total")}[${seconds}s]))`;
  const cores = `max by (${generatorLabels}) (last_over_time(${questions.run.own("plimsoll_generator_cpus")}[${seconds}s]))`;
  return `max(sum by (${generatorLabels}) (${used}) / ${cores})`;
}
