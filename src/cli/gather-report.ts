/**
 * Gathers what a report of a run holds: record, charts, tables, the end of the log.
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { UsageError } from "../errors.ts";
import { StoreUnreachable } from "../query/store.ts";
import type { LogLineView } from "../server/api/log-view.ts";
import { version } from "../version.ts";
import type { ReportCharts, ReportData } from "../web/report/report-data.ts";
import type { RunsAccess } from "./runs-access.ts";

/** Of each chart: a page of paper has no more columns. */
const chartPoints = 600;
/** Of the log, its end: why a run ended stands there. */
const logLimit = { lines: 500, characters: 256 * 1_024 };

/** @throws UsageError for a run that is not there; ServerError, DatabaseError */
export async function gatherReport(
  access: RunsAccess,
  name: string,
  { source, madeMs }: { readonly source: string; readonly madeMs: number },
): Promise<ReportData> {
  const run = await access.show(name);
  const id = String(run.id);
  const charts = await readCharts(access, id);
  const log = run.logLines > 0 ? await readLog(access, id) : [];
  return {
    made: new Date(madeMs).toISOString(),
    version,
    source,
    run,
    charts: charts instanceof StoreUnreachable ? null : charts,
    problem: charts instanceof StoreUnreachable ? { message: charts.message } : null,
    log,
    logLeftOut: Math.max(0, run.logLines - log.length),
  };
}

async function readCharts(
  access: RunsAccess,
  id: string,
): Promise<ReportCharts | StoreUnreachable> {
  try {
    const [run, server, tables] = await Promise.all([
      access.charts(id, "run", chartPoints),
      access.charts(id, "server", chartPoints),
      access.tables(id),
    ]);
    return { run, server, tables };
  } catch (error) {
    if (error instanceof StoreUnreachable) return error;
    throw error;
  }
}

/** None where another server keeps it: the report says that its lines are not in it. */
async function readLog(access: RunsAccess, id: string): Promise<LogLineView[]> {
  const lines: string[] = [];
  let characters = 0;
  try {
    const input = Readable.from(access.log(id), { objectMode: false });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      lines.push(line);
      characters += line.length;
      while (lines.length > logLimit.lines || characters > logLimit.characters) {
        characters -= lines.shift()!.length;
      }
    }
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
  return lines.flatMap(toLine);
}

/** The last line of a run that goes on may be half written. */
function toLine(line: string): LogLineView[] {
  try {
    // What a server has written (server/live/run-logs.ts).
    return [JSON.parse(line) as LogLineView];
  } catch {
    return [];
  }
}
