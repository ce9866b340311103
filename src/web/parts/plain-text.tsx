/**
 * What others wrote: names, notes, log lines. Isolated, so that its direction stays within it; what is hidden in it is made
 * visible; what is too long is cut, and shown on demand.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { visibleParts } from "../format/visible-text.ts";
import { formatCount } from "../format/number.ts";

interface PlainTextProps {
  readonly text: string;
  /** Characters that are shown at first. Default 300. */
  readonly limit?: number;
  /** Within a link or a button there can be no button: the rest is left out. */
  readonly isCutForGood?: boolean;
}

export function PlainText({
  text,
  limit = 300,
  isCutForGood = false,
}: PlainTextProps): JSX.Element {
  const [isWhole, setIsWhole] = useState(false);
  // A few more are no reason for a button.
  const isCut = !isWhole && text.length > limit * 1.2;
  return (
    <>
      <bdi>
        {visibleParts(isCut ? text.slice(0, limit) : text).map(({ text: part, isMark }) =>
          isMark ? <span class="mark">{part}</span> : part,
        )}
        {isCut && "…"}
      </bdi>
      {isCut && !isCutForGood && (
        <>
          {" "}
          <button type="button" class="link-button" onClick={() => setIsWhole(true)}>
            Show all {formatCount(text.length)} characters
          </button>
        </>
      )}
    </>
  );
}
