/**
 * The run that a path or a command line names, if who asks may follow it.
 */
import type { Principal } from "../../runs/principal.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import { HttpError } from "../http-error.ts";

/** @param name the run's number or its testid */
export async function findRun(
  repository: Pick<RunRepository, "run" | "runByTestid">,
  name: string,
): Promise<RunRecord | undefined> {
  const id = /^\d{1,10}$/.test(name) ? Number(name) : 0;
  const run = id > 0 && id <= 0x7fff_ffff ? await repository.run(id) : undefined;
  return run ?? (await repository.runByTestid(name));
}

/**
 * Who may read follows every run; who may only push, those that it started; a run's token and a share link, their own.
 *
 * @throws HttpError
 */
export async function findOwnRun(
  repository: RunRepository,
  name: string,
  principal: Principal,
): Promise<RunRecord> {
  const run = await findRun(repository, name);
  // Whether there is such a run is for those to know who may see it.
  if (principal.role === "push" && run?.startedBy !== principal.name) {
    throw new HttpError(
      403,
      "forbidden",
      "a token of the role push follows the runs that it started",
    );
  }
  if (principal.role === "run" && run?.id !== principal.runId) {
    throw new HttpError(403, "forbidden", "the token of a run is for that run alone");
  }
  if (principal.role === "share" && run?.id !== principal.runId) {
    throw new HttpError(403, "forbidden", "a share link shows one run, and this is another");
  }
  if (!run) throw new HttpError(404, "not_found", `there is no run ${JSON.stringify(name)}`);
  return run;
}

/** Servers on one database share records; logs and archives are where they were pushed to. */
export async function keptElsewhere(
  repository: Pick<RunRepository, "ownerOf">,
  { id }: RunRecord,
  what: "log" | "archive",
): Promise<HttpError> {
  const owner = await repository.ownerOf(id);
  const where = owner ? `the server ${owner.url}` : "another server";
  return new HttpError(404, "not_found", `the ${what} of run ${id} is kept by ${where}`);
}
