/**
 * An answer of the server, for a component: asked for when it is drawn, again when the path changes, and now and then where
 * that is wanted, but only while somebody can see the page.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { askJson, type ApiError } from "./client.ts";

export interface Answered<Answer> {
  /** The newest there is, also while the next is on its way or could not be had; of the path before, too. */
  readonly answer: Answer | undefined;
  /** Why the newest attempt failed. */
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  /** Asks again. */
  readonly reload: () => void;
}

interface State<Answer> {
  readonly answer: Answer | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
}

/**
 * @param path null: there is nothing to ask for
 * @param everyMs between two questions; default: it is asked once
 */
export function useAnswer<Answer>(
  path: string | null,
  { everyMs }: { readonly everyMs?: number } = {},
): Answered<Answer> {
  const [state, setState] = useState<State<Answer>>({
    answer: undefined,
    error: undefined,
    isLoading: path !== null,
  });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((last) => last + 1), []);
  useEffect(() => {
    if (path === null) return undefined;
    const controller = new AbortController();
    const look = async (): Promise<void> => {
      setState((last) => ({ ...last, isLoading: true }));
      try {
        const answer = await askJson<Answer>(path, { signal: controller.signal });
        if (!controller.signal.aborted) setState({ answer, error: undefined, isLoading: false });
      } catch (error) {
        if (controller.signal.aborted) return;
        // `askJson` throws nothing else, once it was not aborted.
        setState((last) => ({ ...last, error: error as ApiError, isLoading: false }));
      }
    };
    void look();
    const stop = everyMs === undefined ? undefined : whileVisible(look, everyMs);
    return () => {
      controller.abort();
      stop?.();
    };
  }, [path, everyMs, round]);
  return { ...state, reload };
}

/**
 * Calls `look` again and again, each time `everyMs` after it was done, and at once when the page is seen again.
 *
 * @returns what ends it
 */
export function whileVisible(look: () => Promise<void>, everyMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const plan = (): void => {
    clearTimeout(timer);
    if (!isOver && !document.hidden) timer = setTimeout(() => void again(), everyMs);
  };
  const again = async (): Promise<void> => {
    await look();
    plan();
  };
  const onVisibility = (): void => {
    if (document.hidden) clearTimeout(timer);
    else void again();
  };
  document.addEventListener("visibilitychange", onVisibility);
  plan();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}

/** A value once it has stayed the same for so long: what is typed, not each letter of it. */
export function useSettled<Value>(value: Value, afterMs: number): Value {
  const [settled, setSettled] = useState(value);
  const newest = useRef(value);
  newest.current = value;
  useEffect(() => {
    const timer = setTimeout(() => setSettled(newest.current), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}
