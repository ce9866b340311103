/**
 * A moment: how long ago, with the exact time and its zone where one points at it.
 */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatDateTime, formatFullTime, formatRelative } from "../format/time.ts";

interface TimeProps {
  /** RFC 3339. */
  readonly at: string;
  /** Default false: as `2026-11-22 22:08:44`. */
  readonly isRelative?: boolean;
}

export function Time({ at, isRelative = false }: TimeProps): JSX.Element {
  const timeMs = Date.parse(at);
  return (
    <time dateTime={at} title={formatFullTime(timeMs)}>
      {isRelative ? <Ago timeMs={timeMs} /> : formatDateTime(timeMs)}
    </time>
  );
}

function Ago({ timeMs }: { readonly timeMs: number }): JSX.Element {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return <>{formatRelative(timeMs, nowMs)}</>;
}
