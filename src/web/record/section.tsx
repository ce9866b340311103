/**
 * A part of the run page: a heading, and what belongs to it.
 */
import type { ComponentChildren, JSX } from "preact";
import type { RunView } from "../../server/api/run-view.ts";
import type { SessionView } from "../../server/api/session-view.ts";

/** What each section of a run's page is given. */
export interface SectionProps {
  readonly run: RunView;
  readonly session: SessionView;
}

interface RunSectionProps {
  /** Of the heading, for links within the page. */
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}

export function RunSection({ id, title, children }: RunSectionProps): JSX.Element {
  return (
    <section class="run-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
