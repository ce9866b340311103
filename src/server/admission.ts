/**
 * Whether one more run, or test, is taken of a token: so that who may push does not fill the database, and a CI job that
 * starts runs in a loop does not take the server from all others.
 *
 * The limits are above what a server bears in pushes (docs/k6-cloud.md, "Limits"): who meets them does not load tests. k6
 * prints the answer, 429, and ends.
 */
import type { Clock } from "../clock.ts";
import type { Admission, MadeKind, Refusal } from "../runs/admission.ts";
import { WindowLimit } from "./window-limit.ts";

/** At a time, per token: each has a file open, and the sums of its series in memory. */
const openRuns = 500;
/** Per token and window, which is as long as the sums of a run are kept after its end: of runs, and of tests. */
const madeInWindow = { count: 1_000, windowMs: 10 * 60_000 };
/** A run whose generator is gone is over after two minutes. */
const openAgainSeconds = 30;

export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many runs of a token's name go on here. */
  readonly openRunsOf: (name: string) => number;
  readonly onRefused: (kind: MadeKind) => void;
}

export function createAdmission({ clock, openRunsOf, onRefused }: AdmissionOptions): Admission {
  const limits: Readonly<Record<MadeKind, WindowLimit>> = {
    run: new WindowLimit(clock, madeInWindow),
    test: new WindowLimit(clock, madeInWindow),
  };
  const refusalOf = (kind: MadeKind, name: string): Refusal | undefined => {
    if (kind === "run" && openRunsOf(name) >= openRuns) {
      const message = `this token has ${openRuns} runs that go on: end some, or wait until they are over`;
      return { message, retryAfterSeconds: openAgainSeconds };
    }
    const retryAfterSeconds = limits[kind].waitSeconds(name);
    if (retryAfterSeconds === 0) return undefined;
    const { count, windowMs } = madeInWindow;
    const message = `this token has made ${count} ${kind}s within ${windowMs / 60_000} minutes; again in ${retryAfterSeconds} s`;
    return { message, retryAfterSeconds };
  };
  return {
    admit(kind, name) {
      const refusal = refusalOf(kind, name);
      if (refusal) onRefused(kind);
      else limits[kind].add(name);
      return refusal;
    },
  };
}
