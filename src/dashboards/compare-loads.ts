/**
 * Who is compared, and whether that makes sense: the two runs, whether the time range shows A, and how far apart the
 * two loads are.
 */
import { bestNone, ranges } from "./differences.ts";
import { hiddenColumn, matching, named, stat, table, type Panel } from "./panel.ts";
import { rowTime, shownFrom, shownTo } from "./run-time.ts";
import { columns, merged, times } from "./transformations.ts";
import {
  anyTime,
  difference,
  duration,
  failedShare,
  kept,
  labelled,
  ofBoth,
  ofRunNamed,
  peakVus,
  total,
  wholeQuantile,
  type RunName,
} from "./two-runs.ts";

/** For links to this dashboard: what is chosen on it. */
const sameRuns = ["datasource", "test_a", "a", "test_b", "b", "histogram"]
  .map((name) => `\${${name}:queryparam}`)
  .join("&");

export function runs(): Panel {
  const end = (run: RunName): string => `(${kept[run].end} or vector(time()))`;
  const rows = [
    ["known", (run: RunName) => kept[run].info],
    ["state", (run: RunName) => kept[run].state],
    ["start", (run: RunName) => `${kept[run].start} * 1000`],
    ["end", (run: RunName) => `${end(run)} * 1000`],
    ["duration", duration],
    ["vus", (run: RunName) => peakVus(run)],
    ["requests", (run: RunName) => total("http_reqs", run)],
    ["rate", (run: RunName) => `${total("http_reqs", run)} / ${duration(run)}`],
    ["iterations", (run: RunName) => total("iterations", run)],
    ["dropped", (run: RunName) => total("dropped_iterations", run)],
    ["failed", (run: RunName) => `(${kept[run].share("http_req_failed")} or ${failedShare(run)})`],
    [
      "p95",
      (run: RunName) =>
        `(${wholeQuantile(0.95, run)} or ${kept[run].slowest("http_req_duration", "p95")})`,
    ],
    ["from", (run: RunName) => shownFrom(kept[run].start)],
    ["to", (run: RunName) => shownTo(kept[run].start, end(run))],
  ] as const;
  return table({
    title: "The two runs",
    description:
      "Who is compared, how much load each made, and when. Labels of `--tag`, such as a version, are further columns. " +
      "If A's panels are empty, the time range does not show A: click its id.",
    unit: "short",
    height: 5,
    queries: rows.map(([refId, expr]) => ({ refId, expr: ofBoth(expr), legend: refId })),
    transformations: [
      merged(),
      columns({
        run: "Run",
        testid: "Id",
        test: "Test",
        generator: "Generator",
        state: "State",
        "Value #start": "Started",
        "Value #end": "Ended",
        "Value #duration": "Duration",
        "Value #vus": "Peak VUs",
        "Value #requests": "Requests",
        "Value #rate": "Requests/s",
        "Value #iterations": "Iterations",
        "Value #dropped": "Dropped",
        "Value #failed": "Failed",
        "Value #p95": "p95",
        "Value #from": "From",
        "Value #to": "To",
        "Value #known": undefined,
        "Value #state": undefined,
      }),
      times("Started", "Ended"),
    ],
    overrides: [
      named("Run", { "custom.width": 50 }),
      named("Id", {
        "custom.minWidth": 170,
        links: [
          {
            title: "Show the time of this run",
            url: `/d/plimsoll-compare?${rowTime}&${sameRuns}`,
          },
        ],
      }),
      // With a unit no milliseconds. What the link takes is hidden.
      matching("/^(Started|Ended)$/", { unit: "dateTimeAsIso", "custom.width": 165 }),
      named("Ended", hiddenColumn),
      named("Duration", { unit: "s", decimals: 1, "custom.width": 90 }),
      named("Requests/s", { unit: "reqps", decimals: 1, "custom.width": 105 }),
      matching("/^(Peak VUs|Requests|Iterations|Dropped)$/", { "custom.width": 95 }),
      named("Failed", { unit: "percentunit", decimals: 2 }),
      named("p95", { unit: "s" }),
      matching("/^(From|To)$/", hiddenColumn),
    ],
  });
}

export function inView(): Panel {
  const { start } = kept.a;
  const end = `(${kept.a.end} or vector(time()))`;
  return stat({
    title: "Time range",
    description:
      "Whether the time range shows the whole of run A. If it does not, the courses below are cut or empty: click A's " +
      "id in the table above. The tables are over the whole runs in any case.",
    unit: "none",
    queries: [
      {
        // The range is in whole seconds.
        expr: `(${start} >= bool (time() - $__range_s - 1)) * (${end} <= bool (time() + 1))`,
        legend: "time range",
      },
    ],
    mappings: ranges([
      [0.5, 1, "green", "shows A"],
      [0, 0.5, "orange", "not all of A"],
    ]),
    noValue: "no run A",
    background: true,
  });
}

/** By name, A's difference from B. */
const loads: Readonly<Record<string, string>> = {
  "peak VUs": difference(peakVus("a"), peakVus("b")),
  "requests/s": difference(rateOf("http_reqs", "a"), rateOf("http_reqs", "b")),
  "iterations/s": difference(rateOf("iterations", "a"), rateOf("iterations", "b")),
  duration: difference(duration("a"), duration("b")),
  // Of what was to be done, so that it adds to the others.
  "dropped iterations": `${droppedShare("a")} - ${droppedShare("b")}`,
};

export function comparability(): readonly Panel[] {
  const all = Object.entries(loads)
    .map(([name, expr]) => labelled(expr, "load", name))
    .join(" or ");
  const generators = (["a", "b"] as const).map(
    (run) => `last_over_time(plimsoll_run_info{${ofRunNamed(run)}}${anyTime})`,
  );
  const others = labelled(
    `count(count by (generator) (${generators.join(" or ")})) > bool 1`,
    "load",
    "generator",
  );
  return [
    stat({
      title: "Are the loads comparable?",
      description:
        "The largest difference between the two loads: VUs, requests/s, iterations/s, duration, dropped iterations; " +
        "100 % where the generators differ. If it is above 5 %, latencies say little about the system: run A again " +
        "with B's load. With fixed VUs a slower system is asked less often: then equal VUs are equal loads.",
      unit: "percentunit",
      queries: [{ expr: `max(abs(${all} or ${others}))`, legend: "largest difference" }],
      mappings: ranges([
        [0, 0.05, "green", "comparable"],
        [0.05, 0.2, "orange", "no: over 5 % apart"],
        [0.2, null, "red", "no: over 20 % apart"],
      ]),
      noValue: "one run lacks figures",
      background: true,
      width: 6,
    }),
    stat({
      title: "Load of A against B",
      description:
        "How A's load differs from B's; dropped iterations as a share of those that were due. If one is orange, look " +
        "at that line below to see when the loads part; a generator that drops iterations is at its own limit.",
      unit: "percentunit",
      decimals: 1,
      queries: [{ expr: all, legend: "{{load}}" }],
      mappings: bestNone,
      width: 14,
    }),
  ];
}

function rateOf(metric: string, run: RunName): string {
  return `(${total(metric, run)} / ${duration(run)})`;
}

function droppedShare(run: RunName): string {
  const dropped = `(${total("dropped_iterations", run)} or vector(0))`;
  return `(${dropped} / (${dropped} + ${total("iterations", run)}))`;
}
