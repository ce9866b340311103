/**
 * Waits for work that cannot be given up, such as a token that others wait for, too, no longer than a signal allows.
 */

/** Rejects with the signal's reason as soon as it is aborted; the work goes on, and serves whoever asks next. */
export async function untilAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal,
): Promise<Value> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (abort) signal.removeEventListener("abort", abort);
  }
}
