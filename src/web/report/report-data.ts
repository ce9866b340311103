/**
 * What a report holds: all that its page shows, for it asks nobody.
 */
import type { ChartSet, RunTables, StoreProblem } from "../../charts/chart-data.ts";
import type { LogLineView } from "../../server/api/log-view.ts";
import type { RunView } from "../../server/api/run-view.ts";

export interface ReportCharts {
  readonly run: ChartSet;
  readonly server: ChartSet;
  readonly tables: RunTables;
}

export interface ReportData {
  /** RFC 3339. */
  readonly made: string;
  /** Of Plimsoll. */
  readonly version: string;
  /** Where the record is from: a server's URL, or the store of a machine; no credentials. */
  readonly source: string;
  readonly run: RunView;
  /** Null where the store could not be asked; `problem` then says why. */
  readonly charts: ReportCharts | null;
  readonly problem: StoreProblem | null;
  /** Oldest first. */
  readonly log: readonly LogLineView[];
  /** Lines before these, which are not in the report. */
  readonly logLeftOut: number;
}
