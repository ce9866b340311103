/**
 * Something that a person asked for, and that the server may refuse.
 */
import { useState } from "preact/hooks";
import { ApiError } from "./client.ts";

export interface Attempt<Arguments extends readonly unknown[]> {
  /** Why the last one failed, in words. */
  readonly error: string | undefined;
  readonly isBusy: boolean;
  /** Rejects only where the page itself is at fault. */
  readonly attempt: (...args: Arguments) => Promise<void>;
}

export function useAttempt<Arguments extends readonly unknown[]>(
  act: (...args: Arguments) => Promise<void>,
): Attempt<Arguments> {
  const [error, setError] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const attempt = async (...args: Arguments): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      await act(...args);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure.message);
    } finally {
      setIsBusy(false);
    }
  };
  return { error, isBusy, attempt };
}
