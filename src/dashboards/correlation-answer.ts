/**
 * The top of Correlation: which resource answers for the slow time, and what clients saw.
 */
import { CustomVariableBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  answers,
  isSlow,
  isWaitedFor,
  noLimit,
  resources,
  shareOfSlowTime,
  slowShare,
  unexplained,
  waits,
} from "./attribution.ts";
import type { Section } from "./dashboard.ts";
import { named, stat, table, text, timeseries, type Panel } from "./panel.ts";
import { perSecond, quantile, secondsPerSecond, share } from "./promql.ts";
import type { Variable } from "./variables.ts";

/** Steps of the ranking: 240 over the time shown, none finer than the stack's scrape interval. */
const rankingSteps = { maxDataPoints: 240, interval: "5s" } as const;

/** From where a share of the slow time is a suspicion, and from where it is the answer. */
const shareThresholds = [0.25, 0.5] as const;

export function slowFactorVariable(): Variable {
  return new CustomVariableBuilder("slow_factor")
    .label("Slow above")
    .description("A moment is slow in which p95 is above this many times its lowest tenth.")
    .values("1.5 × : 1.5, 2 × : 2, 3 × : 3, 5 × : 5")
    .options(
      ["1.5", "2", "3", "5"].map((value) => ({
        text: `${value} ×`,
        value,
        selected: value === "2",
      })),
    )
    .current({ text: "2 ×", value: "2" });
}

export function slowAboveVariable(): Variable {
  const limits = [
    { text: "no limit", value: String(noLimit) },
    ...["0.1", "0.25", "0.5", "1", "2", "5"].map((value) => ({ text: `${value} s`, value })),
  ];
  return new CustomVariableBuilder("slow_above")
    .label("or above")
    .description(
      "A moment is also slow in which p95 is above this: for a run that was slow from its start.",
    )
    .values(limits.map(({ text, value }) => `${text} : ${value}`).join(", "))
    .options(limits.map((limit, index) => ({ ...limit, selected: index === 0 })))
    .current({ text: "no limit", value: String(noLimit) });
}

function waitedStat(name: string, title: string, description: string): Panel {
  const resource = resources.find((candidate) => candidate.name === name);
  if (!resource) throw new Error(`no resource ${JSON.stringify(name)}`);
  return stat({
    title,
    description: `${description} A consequence of something else counts here too: the table ranks what answers for it. If it is red, open the resource's row.`,
    unit: "percentunit",
    decimals: 0,
    min: 0,
    max: 1,
    thresholds: shareThresholds,
    noValue: "not measured",
    width: 3,
    queries: [{ expr: shareOfSlowTime(isWaitedFor(resource)), legend: title }],
    ...rankingSteps,
  });
}

export function answerSection(): Section {
  return {
    panels: [
      stat({
        title: "Slow time",
        description:
          "Share of the run in which the clients' p95 was above the chosen multiple of its lowest tenth, above the chosen limit, or in which nothing was answered. If it is near 0, either nothing was slow or all of it was, from the start: choose a limit at the top, or compare the run with a good one.",
        unit: "percentunit",
        decimals: 0,
        min: 0,
        max: 1,
        width: 3,
        queries: [{ expr: slowShare, legend: "slow" }],
        ...rankingSteps,
      }),
      waitedStat(
        "connection pool",
        "Waited for pool",
        "Share of the slow time in which clients waited for a connection: of those that needed one, 3 of 10 or more had none.",
      ),
      waitedStat(
        "locks",
        "Waited for locks",
        "Share of the slow time in which sessions of the database waited for a lock.",
      ),
      waitedStat(
        "CPU",
        "Out of CPU",
        "Share of the slow time in which the event loop, or all cores of a host, were busy for 9 of 10 seconds.",
      ),
      waitedStat(
        "disk",
        "Waited for disk",
        "Share of the slow time in which processes of a host waited for its disks for 3 of 10 seconds or more (PSI).",
      ),
      waitedStat(
        "memory",
        "Short of memory",
        "Share of the slow time in which garbage collection took more than 0.15 of the time, or waiting for pages more than 0.1.",
      ),
      waitedStat(
        "dependency",
        "Waited for others",
        "Share of the slow time in which calls to other services took more than twice their quiet time, and a third of the request's.",
      ),
      stat({
        title: "Unexplained",
        description:
          "Share of the slow time in which none of the resources was waited for. If it is high, what the clients waited for is not measured: a network, a cache, a service without metrics; or the load itself changed.",
        unit: "percentunit",
        decimals: 0,
        min: 0,
        max: 1,
        thresholds: shareThresholds,
        width: 3,
        queries: [{ expr: unexplained, legend: "unexplained" }],
        ...rankingSteps,
      }),
      table({
        title: "What answers for the slow time",
        description:
          "Each resource with the share of the slow time that it answers for: it was waited for, and nothing that would explain it was. Beside it the share in which it was waited for at all. Slow time below a tenth of the time shown counts as a tenth. If the first is above 50 %, start there; if none is above 25 %, look at Unexplained.",
        unit: "percentunit",
        width: 24,
        height: 10,
        decimals: 0,
        min: 0,
        max: 1,
        thresholds: shareThresholds,
        queries: [
          { expr: answers(), legend: "answers", refId: "answers" },
          { expr: waits(), legend: "waits", refId: "waits" },
        ],
        transformations: [
          { id: "joinByField", options: { byField: "resource", mode: "outer" } },
          {
            id: "organize",
            options: {
              excludeByName: { "Time 1": true, "Time 2": true, "advice 2": true },
              indexByName: { resource: 0, "Value #answers": 1, "Value #waits": 2, "advice 1": 3 },
              renameByName: {
                resource: "Resource",
                "Value #answers": "Answers for",
                "Value #waits": "Waited for in",
                "advice 1": "What to do",
              },
            },
          },
        ],
        overrides: [
          named("Answers for", {
            "custom.cellOptions": { type: "gauge", mode: "gradient" },
            "custom.width": 340,
          }),
          named("Waited for in", { "custom.width": 130 }),
          named("Resource", { "custom.width": 180 }),
        ],
        sortBy: { field: "Answers for" },
        ...rankingSteps,
      }),
    ],
  };
}

export function clientSection(): Section {
  return {
    panels: [
      text({
        title: "How to read this",
        description:
          "How the table above comes about. If it does not fit your system, see docs/dashboards.md for the metrics that each resource needs.",
        markdown:
          "A moment is **slow** when p95 is above the chosen multiple of its lowest tenth. A resource **answers for** it when clients waited for it and nothing that would explain it was waited for: sessions that wait for a lock keep their connections, so the pool runs dry as well, and the answer is the lock. Each row below has use, limit and waiting, in the order of a request's path.",
      }),
      timeseries({
        title: "Latency that clients see",
        description:
          "Quantiles of the duration of all requests of the run, and where p95 counts as slow (right scale, 1 is slow). If it rises, look below for what rises with it.",
        unit: "s",
        queries: [
          { expr: quantile(0.5, "http_req_duration"), legend: "p50" },
          { expr: quantile(0.95, "http_req_duration"), legend: "p95" },
          { expr: quantile(0.99, "http_req_duration"), legend: "p99" },
          { expr: isSlow, legend: "slow" },
        ],
        min: 0,
        right: { fields: "/^slow$/", unit: "none" },
      }),
      timeseries({
        title: "Errors that clients see",
        description:
          "Share of failed requests and of failed checks in the window, from counters. If it is not 0, sort the errors by status on the Run dashboard.",
        unit: "percentunit",
        min: 0,
        queries: [
          { expr: share("http_req_failed"), legend: "requests failed" },
          { expr: `1 - (${share("checks")})`, legend: "checks failed" },
        ],
      }),
      timeseries({
        title: "Load",
        description:
          "Requests per second, and how many are in flight at once (right scale), by Little's law. If the rate falls while more are in flight, the system is saturated.",
        unit: "reqps",
        min: 0,
        queries: [
          { expr: perSecond("http_reqs"), legend: "requests" },
          { expr: secondsPerSecond("http_req_duration"), legend: "in flight" },
        ],
        right: { fields: "/^in flight$/", unit: "none" },
      }),
    ],
  };
}
