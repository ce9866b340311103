/**
 * Every dashboard, in the order in which people meet them. `npm run dashboards` writes each to `dashboards/<name>.json`.
 */
import { compareDashboard } from "./compare.ts";
import type { DashboardFile } from "./dashboard.ts";
import { historyDashboard } from "./history.ts";

/** By name: the file's and, after `plimsoll-`, the uid's. */
export const dashboards: Readonly<Record<string, () => DashboardFile>> = {
  compare: compareDashboard,
  history: historyDashboard,
};
