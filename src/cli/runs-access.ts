/**
 * The runs that `plimsoll runs` is about: a server's, or those of the store of this machine.
 */
import type { ChartSet, ChartSetName, RunTables } from "../charts/chart-data.ts";
import type { RunQuery } from "../server/api/run-query.ts";
import type { CreatedShare } from "../server/api/session-view.ts";
import type { RunListView, RunView } from "../server/api/run-view.ts";

export interface CreatedRun {
  readonly run: RunView;
  readonly token: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface NewRunRequest {
  readonly test: string;
  readonly note?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly thresholds?: unknown;
}

/** A run is named by its number or its testid. Each method throws UsageError for a run that is not there. */
export interface RunsAccess extends AsyncDisposable {
  list(query: RunQuery): Promise<RunListView>;
  show(name: string): Promise<RunView>;
  change(
    name: string,
    changes: { readonly note?: string; readonly starred?: boolean },
  ): Promise<RunView>;
  delete(name: string): Promise<void>;
  /** One JSON document, in parts. */
  export(name: string): AsyncIterable<string | Uint8Array>;
  /** At most so many times of the whole run. @throws StoreUnreachable */
  charts(name: string, set: ChartSetName, points: number): Promise<ChartSet>;
  /** @throws StoreUnreachable */
  tables(name: string): Promise<RunTables>;
  /** JSON lines, oldest first, in parts. */
  log(name: string): AsyncIterable<Uint8Array>;
  create(run: NewRunRequest): Promise<CreatedRun>;
  end(name: string, end: { readonly state: string; readonly reason?: string }): Promise<RunView>;
  stop(name: string): Promise<void>;
  /** @param seconds how long the link is good for; the server has a default */
  share(name: string, seconds?: number): Promise<CreatedShare>;
}
