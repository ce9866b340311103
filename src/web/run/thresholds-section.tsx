/**
 * The thresholds of a run: their value so far, what is left until the limit, and who judged.
 */
import type { JSX } from "preact";
import type { RunView, ThresholdView } from "../../server/api/run-view.ts";
import { formatNumber } from "../format/number.ts";
import { isUnderWay, type Tone } from "../format/state-words.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { Badge } from "../parts/state-badge.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { RunSection } from "../record/section.tsx";
import { thresholdMargin } from "./threshold-margin.ts";

export function ThresholdsSection({ run }: { readonly run: RunView }): JSX.Element {
  return (
    <RunSection id="thresholds" title="Thresholds">
      {run.thresholds.length === 0 ? (
        <p>
          The script has none. With “thresholds” in its options, k6 and this page say whether a run
          was good enough.
        </p>
      ) : (
        <TableRegion caption="All thresholds">
          <thead>
            <tr>
              <th scope="col">Verdict</th>
              <th scope="col">Metric</th>
              <th scope="col" class="number">
                Value
              </th>
              <th scope="col" class="number">
                Limit
              </th>
              <th scope="col">Margin</th>
              <th scope="col">Judged by</th>
            </tr>
          </thead>
          <tbody>
            {run.thresholds.map((threshold) => (
              <ThresholdRow
                key={`${threshold.metric} ${threshold.expression}`}
                threshold={threshold}
                isOver={!isUnderWay(run.state)}
              />
            ))}
          </tbody>
        </TableRegion>
      )}
    </RunSection>
  );
}

interface ThresholdRowProps {
  readonly threshold: ThresholdView;
  readonly isOver: boolean;
}

function ThresholdRow({ threshold, isOver }: ThresholdRowProps): JSX.Element {
  const { metric, expression, abortOnFail, ok, generatorOk } = threshold;
  const { value, limit, ratio } = thresholdMargin(threshold);
  const [tone, words] = verdictOf(generatorOk ?? ok);
  return (
    <tr>
      <td>
        <Badge tone={tone} words={words} />
      </td>
      <th scope="row" class="code">
        <PlainText text={metric} /> <PlainText text={expression} />
        {abortOnFail && <span class="quiet"> stops the test</span>}
      </th>
      <td class="number">{value}</td>
      <td class="number">
        <PlainText text={limit} />
      </td>
      <td>{ratio === null ? "" : marginInWords(ratio)}</td>
      <td>{judgeOf(threshold, isOver)}</td>
    </tr>
  );
}

function verdictOf(ok: boolean | null): readonly [Tone, string] {
  if (ok === null) return ["waiting", "Not judged yet"];
  return ok ? ["good", "Passed"] : ["bad", "Failed"];
}

function marginInWords(ratio: number): string {
  const percent = `${formatNumber(Math.abs(ratio) * 100)} %`;
  return ratio >= 0 ? `${percent} left` : `${percent} over the limit`;
}

function judgeOf({ ok, generatorOk }: ThresholdView, isOver: boolean): string {
  if (generatorOk === null) return ok === null ? "" : isOver ? "the server" : "the server, so far";
  if (ok !== null && ok !== generatorOk)
    return "k6, whose verdict counts; the server says otherwise";
  return "k6";
}
