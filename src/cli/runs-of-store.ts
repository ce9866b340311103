/**
 * The runs of the store of this machine: no server need run.
 */
import { UsageError } from "../errors.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { isOver } from "../runs/transitions.ts";
import { exportRun } from "../server/api/export-run.ts";
import { findRun } from "../server/api/find-run.ts";
import { toRunFilter } from "../server/api/run-query.ts";
import { toRunListItem, toRunView } from "../server/api/run-view.ts";
import type { RunFiles } from "../server/run-files.ts";
import type { RunsAccess } from "./runs-access.ts";

export function runsOfStore(repository: RunRepository, files: RunFiles): RunsAccess {
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
      const { limit, after } = query;
      const list = await repository.list(toRunFilter(query), {
        ...(limit !== undefined && { limit }),
        ...(after !== undefined && { after }),
      });
      return { ...list, runs: list.runs.map(toRunListItem), next: list.next ?? null };
    },
    show: async (name) => toRunView(await find(name)),
    note: async (name, note) => {
      const run = await find(name);
      return toRunView((await repository.change(run.id, { note })) ?? run);
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
    create: () => ofServers("create"),
    end: () => ofServers("end"),
    stop: () => ofServers("stop"),
    share: () =>
      Promise.reject(new UsageError("a link is to a server's page: name it with --server")),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  };
}
