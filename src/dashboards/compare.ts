/**
 * Compare: run A against run B, as if both had started at the same time.
 *
 * First whether the two loads can be compared at all, then what A's requests took of B's, then the courses of both and
 * the resources behind them, and last what is left of runs whose seconds are gone. A difference is always A's, in
 * parts of B: +20 % says that A is a fifth above B.
 */
import { annotation } from "./annotations.ts";
import { courses, resources } from "./compare-courses.ts";
import { comparability, inView, runs } from "./compare-loads.ts";
import { checks, endpoints, ladder, summaries, thresholds } from "./compare-tables.ts";
import { dashboard, linkTo, type DashboardFile } from "./dashboard.ts";
import { kept, twoRunsVariables } from "./two-runs.ts";
import { histogramVariable, systemVariables } from "./variables.ts";

export function compareDashboard(): DashboardFile {
  return dashboard({
    name: "compare",
    title: "Compare",
    description:
      "Two runs of any test and any time, laid over each other: A is judged, B is what it is held against.",
    links: [
      linkTo("Run A", "run", "&var-testid=${a:percentencode}").keepTime(true),
      linkTo("History", "history", "&var-testid=${a:percentencode}"),
    ],
    variables: [...twoRunsVariables(), ...systemVariables(), histogramVariable()],
    annotations: [
      annotation({
        name: "End of A",
        expr: `${kept.a.end} * 1000`,
        title: "A ended",
        text: "$a",
        color: "blue",
        atValue: true,
      }),
      annotation({
        name: "End of B",
        expr: `${kept.b.end} * 1000 + $offset`,
        title: "B ended, moved to A's time",
        text: "$b",
        color: "orange",
        atValue: true,
      }),
    ],
    sections: [
      { panels: [runs(), inView(), ...comparability()] },
      { title: "Latency over the whole run", panels: [ladder(), endpoints()] },
      { title: "Course of both runs, from t = 0", panels: courses() },
      { title: "Resources of both runs, from t = 0", panels: resources() },
      { title: "Checks and thresholds", panels: [checks(), thresholds()] },
      { title: "What is kept for years", panels: [summaries()] },
    ],
  });
}
