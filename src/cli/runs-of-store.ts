/**
 * The runs of the store of this machine: no server need run.
 */
import type { RunCharts } from "../charts/run-charts.ts";
import { UsageError } from "../errors.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { isOver } from "../runs/transitions.ts";
import { exportRun } from "../server/api/export-run.ts";
import { findRun } from "../server/api/find-run.ts";
import { toPage, toRunFilter } from "../server/api/run-query.ts";
import { toRunListItem, toRunView } from "../server/api/run-view.ts";
import type { RunFiles } from "../server/run-files.ts";
import type { RunsAccess } from "./runs-access.ts";

/** @param runCharts where nobody asks for charts, none */
export function runsOfStore(
  repository: RunRepository,
  files: RunFiles,
  runCharts?: RunCharts,
): RunsAccess {
  const ofStore = (): RunCharts => {
    if (!runCharts) throw new Error("opened without a store to ask");
    return runCharts;
  };

  async function find(name: string): Promise<RunRecord> {
    const run = await findRun(repository, name);
    if (!run) throw new UsageError(`there is no run ${JSON.stringify(name)}`);
    return run;
  }
  const ofServers = (what: string): Promise<never> =>
    Promise.reject(
      new UsageError(
        `${what} is for the server that takes the run's samples: name it with --server`,
      ),
    );
  return {
    list: async (query) => {
      const list = await repository.list(toRunFilter(query), toPage(query));
      return { ...list, runs: list.runs.map(toRunListItem), next: list.next ?? null };
    },
    show: async (name) => toRunView(await find(name)),
    change: async (name, changes) => {
      const run = await find(name);
      return toRunView((await repository.change(run.id, changes)) ?? run);
    },
    delete: async (name) => {
      const run = await find(name);
      const { id, state } = run;
      if (!isOver(state))
        throw new UsageError(`run ${id} is ${state}: only what is over can be deleted`);
      await repository.delete(id);
      await files.remove(run);
    },
    async *export(name) {
      const run = await find(name);
      yield* exportRun(toRunView(run), await files.log(run));
    },
    charts: async (name, set, points) => await ofStore().charts(await find(name), set, { points }),
    tables: async (name) => await ofStore().tables(await find(name)),
    async *log(name) {
      yield* (await files.log(await find(name))) ?? [];
    },
    create: () => ofServers("create"),
    end: () => ofServers("end"),
    stop: () => ofServers("stop"),
    share: () =>
      Promise.reject(new UsageError("a link is to a server's page: name it with --server")),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  };
}
