/**
 * Two runs beside each other, from the same start: whether they can be compared, and what became better or worse.
 */
import type { JSX } from "preact";
import type { Comparison } from "../../analyse/comparison.ts";
import { withQuery } from "../api/client.ts";
import { useAnswer } from "../api/use-answer.ts";
import { hrefOf, navigate } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";
import { Failure } from "../parts/failure.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import "../style/compare.css";
import "../style/record.css";
import { ComparisonBody } from "./comparison-body.tsx";
import { RunPicker } from "./run-picker.tsx";

interface ComparePageProps {
  /** Number or testid of each, as the address has it; null where it is still to be chosen. */
  readonly base: string | null;
  readonly run: string | null;
}

export function ComparePage({ base, run }: ComparePageProps): JSX.Element {
  const path = base === null || run === null ? null : withQuery("/compare", { base, run });
  const { answer, error, isLoading, reload } = useAnswer<Comparison>(path);
  const choose = (next: Partial<ComparePageProps>): void => {
    const chosen = { base, run, ...next };
    navigate(
      withQuery("/compare", { base: chosen.base ?? undefined, run: chosen.run ?? undefined }),
    );
  };
  return (
    <article class="compare">
      <PageTitle title="Compare" />
      <div class="compare-pickers">
        <RunPicker label="Base" value={base} onChoose={(id) => choose({ base: id })} />
        <RunPicker label="Run" value={run} onChoose={(id) => choose({ run: id })} />
        {path !== null && <Button onClick={() => choose({ base: run, run: base })}>Swap</Button>}
      </div>
      {path === null && (
        <Notice title="Choose two runs of the same test: an earlier or better known one as the base, and the one to judge.">
          <p>
            Or tick two in <a href={hrefOf("/runs")}>the list of runs</a>.
          </p>
        </Notice>
      )}
      {error && <Failure what="The runs could not be compared" error={error} onRetry={reload} />}
      {path !== null && !answer && isLoading && (
        <p aria-busy="true">Asking the store about both …</p>
      )}
      {path !== null && answer && !error && <ComparisonBody comparison={answer} />}
    </article>
  );
}
