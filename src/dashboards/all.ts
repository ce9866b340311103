/**
 * Every dashboard, in the order in which people meet them. `npm run dashboards` writes each to `dashboards/<name>.json`.
 */
import { compareDashboard } from "./compare.ts";
import { correlation } from "./correlation.ts";
import type { DashboardFile } from "./dashboard.ts";
import { fleet } from "./fleet.ts";
import { historyDashboard } from "./history.ts";
import { pipeline } from "./pipeline.ts";
import { run } from "./run.ts";
import { runs } from "./runs.ts";

/** By name: the file's and, after `plimsoll-`, the uid's. */
export const dashboards: Readonly<Record<string, () => DashboardFile>> = {
  runs,
  run,
  correlation,
  compare: compareDashboard,
  history: historyDashboard,
  fleet,
  pipeline,
};
