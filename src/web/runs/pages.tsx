/**
 * From one page of the list to the next, and back to the first. The browser's Back goes to the one before.
 */
import type { JSX } from "preact";
import { Button } from "../parts/button.tsx";

interface PagesProps {
  readonly isFirst: boolean;
  /** Null on the last page. */
  readonly next: string | null;
  /** @param after what the page before gave; empty for the first one */
  readonly onGo: (after: string) => void;
}

export function Pages({ isFirst, next, onGo }: PagesProps): JSX.Element | null {
  if (isFirst && next === null) return null;
  return (
    <nav class="button-row" aria-label="Pages of the list">
      <Button disabled={isFirst} onClick={() => onGo("")}>
        First page
      </Button>
      <Button disabled={isFirst} onClick={() => history.back()}>
        Previous page
      </Button>
      <Button disabled={next === null} onClick={() => onGo(next ?? "")}>
        Next page
      </Button>
    </nav>
  );
}
