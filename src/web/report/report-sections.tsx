/**
 * Sections of a report that the run page asks the server for, and a report has with it.
 */
import type { JSX } from "preact";
import { formatCount } from "../format/number.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { LogLine } from "../record/log-line.tsx";
import { RunSection } from "../record/section.tsx";
import type { ReportData } from "./report-data.ts";

/** As k6 ran with them: what is secret was taken out when they came. */
export function ReportOptions({ options }: Pick<ReportData["run"], "options">): JSX.Element | null {
  // k6 lists what is not set as null.
  const text = JSON.stringify(options, (_, value: unknown) => value ?? undefined, 2) ?? "{}";
  if (text === "{}") return null;
  return (
    <RunSection id="options" title="Options">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached with the keyboard */}
      <pre class="code-block" tabIndex={0} role="region" aria-label="Options">
        <PlainText text={text} limit={20_000} />
      </pre>
    </RunSection>
  );
}

export function ReportLog({ report }: { readonly report: ReportData }): JSX.Element {
  const { log, logLeftOut } = report;
  return (
    <RunSection id="log" title="Log">
      {logLeftOut > 0 && (
        <p>
          {log.length > 0
            ? `The last ${formatCount(log.length)} lines; ${formatCount(logLeftOut)} before them are not in this report.`
            : `Its ${formatCount(logLeftOut)} lines are not in this report.`}
        </p>
      )}
      {log.length === 0 && logLeftOut === 0 && <p class="quiet">The generator logged nothing.</p>}
      {log.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached with the keyboard
        <div class="log" role="region" aria-label="Log lines" tabIndex={0}>
          {log.map((line, at) => (
            <LogLine key={at} line={line} />
          ))}
        </div>
      )}
    </RunSection>
  );
}
