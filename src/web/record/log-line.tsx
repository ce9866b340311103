/**
 * A line of a log: when, how bad, what, and from where.
 */
import { Component, type JSX } from "preact";
import type { LogLineView } from "../../server/api/log-view.ts";
import { formatClock, formatFullTime } from "../format/time.ts";
import { PlainText } from "../parts/plain-text.tsx";

interface LogLineProps {
  readonly line: LogLineView;
}

/** Drawn once: a line never changes, and there are thousands. */
export class LogLine extends Component<LogLineProps> {
  override shouldComponentUpdate(): boolean {
    return false;
  }

  override render(): JSX.Element {
    const { timeNs, level, message, labels } = this.props.line;
    const timeMs = Number(BigInt(timeNs) / 1_000_000n);
    const milliseconds = String(timeMs % 1_000).padStart(3, "0");
    const rest = Object.entries(labels).filter(([name]) => name !== "test_run_id");
    return (
      <div class={`log-line log-${level === "error" || level === "warning" ? level : "other"}`}>
        <time dateTime={new Date(timeMs).toISOString()} title={formatFullTime(timeMs)}>
          {formatClock(timeMs)}.{milliseconds}
        </time>{" "}
        <span class="log-level">
          <PlainText text={level} limit={10} isCutForGood />
        </span>{" "}
        <span class="log-message">
          <PlainText text={message} limit={1_000} />
          {rest.length > 0 && (
            <span class="log-labels">
              {rest.map(([name, value]) => (
                <span key={name}>
                  {" "}
                  <PlainText text={name} limit={60} isCutForGood />=
                  <PlainText text={value} limit={60} isCutForGood />
                </span>
              ))}
            </span>
          )}
        </span>
      </div>
    );
  }
}
