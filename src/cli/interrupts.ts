/**
 * Ctrl-C: the first asks for a clean end, the second leaves at once.
 */
import process from "node:process";
import { exitCodes } from "./exit-codes.ts";

export interface Interrupts extends Disposable {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Listens until disposed of. `onSecond` is called at the second signal, before the process exits; it must do
 * what it does at once.
 */
export function listenForInterrupts({
  onFirst,
  onSecond,
}: {
  readonly onFirst: () => void;
  readonly onSecond: () => void;
}): Interrupts {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      process.exit(exitCodes.interrupted);
    }
    onFirst();
    controller.abort();
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
}
