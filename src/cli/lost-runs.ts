/**
 * Runs of `plimsoll run` whose process has gone without a word: nobody else would ever end them.
 *
 * A process that goes on has no word in the record while the database is away. Who looks in the few seconds between the
 * database's return, after more than two minutes, and that process's next try takes its run for lost.
 */
import type { Clock } from "../clock.ts";
import type { RunRepository } from "../runs/run-repository.ts";

/** How often the record of a run that goes on is told that it does. */
export const aliveIntervalMs = 30_000;
/** As for the runs of a server. */
const lostAfterMs = 4 * aliveIntervalMs;

export async function timeOutLostRuns(repository: RunRepository, clock: Clock): Promise<void> {
  const nowMs = clock.nowMs();
  // Those that no server takes samples for.
  for (const { id, createdMs, lastDataMs } of await repository.openRuns("")) {
    if (nowMs - (lastDataMs ?? createdMs) < lostAfterMs) continue;
    await repository.enter(
      id,
      { state: "timed_out", atMs: nowMs, reason: "its process has gone without a word" },
      "error",
    );
  }
}
