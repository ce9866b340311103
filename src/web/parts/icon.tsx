/**
 * Icons, drawn: none of them says anything that words beside them, or the name of their button, do not say.
 */
import type { JSX } from "preact";

/** Paths within 16 by 16. */
const paths = {
  live: "M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
  waiting: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2.2 1.6",
  good: "m3 8.5 3.2 3.2L13 4.8",
  bad: "m4 4 8 8m0-8-8 8",
  warn: "M8 2.6 14.2 13.4H1.8ZM8 6.6v3.2m0 1.6v.4",
  plain: "M4.5 4.5h7v7h-7Z",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 5.2v4M8 4.8v.4",
  star: "m8 1.8 1.9 4 4.3.6-3.1 3 .8 4.4L8 11.7l-3.9 2.1.8-4.4-3.1-3 4.3-.6Z",
  up: "m4 9.5 4-4 4 4",
  down: "m4 6.5 4 4 4-4",
} as const;

export type IconName = keyof typeof paths;

interface IconProps {
  readonly name: IconName;
  readonly isFilled?: boolean;
}

export function Icon({ name, isFilled = name === "live" }: IconProps): JSX.Element {
  return (
    <svg
      class={isFilled ? "icon icon-filled" : "icon"}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
