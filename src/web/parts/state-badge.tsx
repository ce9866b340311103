/**
 * A run's state, and its result once it has one: words and an icon in a colour.
 */
import type { JSX } from "preact";
import type { RunListItem } from "../../server/api/run-view.ts";
import { resultWords, stateTone, stateWords, type Tone } from "../format/state-words.ts";
import { Icon } from "./icon.tsx";

export function StateBadge({ state }: Pick<RunListItem, "state">): JSX.Element {
  return <Badge tone={stateTone(state)} words={stateWords(state)} />;
}

/** Nothing before there is a result. */
export function ResultBadge({ result }: Pick<RunListItem, "result">): JSX.Element | null {
  return result === null ? null : <Badge {...resultWords(result)} />;
}

interface BadgeProps {
  readonly tone: Tone;
  readonly words: string;
}

export function Badge({ tone, words }: BadgeProps): JSX.Element {
  return (
    <span class={`badge badge-${tone}`}>
      <Icon name={tone} />
      {words}
    </span>
  );
}
