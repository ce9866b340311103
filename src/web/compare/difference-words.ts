/**
 * What a difference between two runs says, in words and with its sign. Pure.
 */
import type { Difference } from "../../analyse/comparison.ts";
import { formatChange } from "../format/number.ts";

/** What more of it means: slower, more failures, or only more. */
export type DifferenceKind = "latency" | "failures" | "load";

export interface DifferenceWords {
  /** `+25.0 %, slower` */
  readonly text: string;
  readonly tone: "better" | "worse" | "plain";
}

/** Below this share a difference is not called one: k6's quantiles are within 1 % of the exact ones. */
const sameRatio = 0.01;

const words: Readonly<Record<DifferenceKind, readonly [more: string, less: string]>> = {
  latency: ["slower", "faster"],
  failures: ["more fail", "fewer fail"],
  load: ["more", "less"],
};

export function differenceWords(kind: DifferenceKind, difference: Difference): DifferenceWords {
  const { base, run, ratio } = difference;
  if (base === null && run === null) return { text: "–", tone: "plain" };
  if (base === null) return { text: "new", tone: "plain" };
  if (run === null) return { text: "gone", tone: "plain" };
  if (base === run || (ratio !== null && Math.abs(ratio) < sameRatio)) {
    return { text: "the same", tone: "plain" };
  }
  const [more, less] = words[kind];
  const isMore = run > base;
  // From nothing to something there is no share.
  const change = ratio === null ? "" : `${formatChange(ratio)}, `;
  return {
    text: change + (isMore ? more : less),
    tone: kind === "load" ? "plain" : isMore ? "worse" : "better",
  };
}
