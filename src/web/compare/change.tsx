/**
 * A difference with its sign and in words; the arrow and the colour say the same again.
 */
import type { JSX } from "preact";
import type { Difference } from "../../analyse/comparison.ts";
import { type DifferenceKind, differenceWords } from "./difference-words.ts";

interface ChangeProps {
  readonly kind: DifferenceKind;
  readonly difference: Difference;
}

export function Change({ kind, difference }: ChangeProps): JSX.Element {
  const { text, tone } = differenceWords(kind, difference);
  return (
    <span class={`change change-${tone}`}>
      {tone !== "plain" && <span aria-hidden="true">{tone === "worse" ? "▲ " : "▼ "}</span>}
      {text}
    </span>
  );
}
