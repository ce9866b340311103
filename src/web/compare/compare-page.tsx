/**
 * Two runs beside each other.
 */
import type { JSX } from "preact";
import { PageTitle } from "../parts/page-title.tsx";

interface ComparePageProps {
  /** Number or testid of each, as the address has it; null where it is still to be chosen. */
  readonly base: string | null;
  readonly run: string | null;
}

export function ComparePage({ base, run }: ComparePageProps): JSX.Element {
  return (
    <>
      <PageTitle title="Compare" />
      <p>
        {base} and {run}
      </p>
    </>
  );
}
