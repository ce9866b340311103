/**
 * The runs that are selected: kept for as long as the tab is open, so that they can be of two searches.
 */
import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import { formatPlural } from "../format/number.ts";
import { hrefOf } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";

export interface Selected {
  /** Numbers of runs, in the order in which they were selected. */
  readonly ids: readonly number[];
  readonly toggle: (id: number) => void;
  readonly clear: () => void;
}

const key = "plimsoll.selected";

export function useSelection(): Selected {
  const [ids, setIds] = useState(read);
  const change = useCallback((to: (last: readonly number[]) => readonly number[]) => {
    setIds((last) => {
      const next = to(last);
      sessionStorage.setItem(key, JSON.stringify(next));
      return next;
    });
  }, []);
  return {
    ids,
    toggle: useCallback(
      (id: number) =>
        change((last) => (last.includes(id) ? last.filter((one) => one !== id) : [...last, id])),
      [change],
    ),
    clear: useCallback(() => change(() => []), [change]),
  };
}

/** Of what an older page wrote, what is understood. */
function read(): readonly number[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(stored) ? stored.filter((id) => typeof id === "number") : [];
  } catch {
    return [];
  }
}

export function Selection({ selection }: { readonly selection: Selected }): JSX.Element | null {
  const { ids, clear } = selection;
  // Numbers grow: the older run is what the newer one is held against.
  const [base, run] = ids.toSorted((a, b) => a - b);
  return (
    <div class="selection" aria-live="polite">
      {ids.length === 0 ? (
        <span class="quiet">Select two runs to compare them.</span>
      ) : (
        <>
          <span>
            {formatPlural(ids.length, "run")} selected: {ids.map((id) => `#${id}`).join(", ")}
          </span>
          {ids.length === 2 && base !== undefined && run !== undefined ? (
            <a class="button button-main" href={hrefOf(`/compare?base=${base}&run=${run}`)}>
              Compare selected
            </a>
          ) : (
            <span class="quiet">
              {ids.length < 2 ? "Select one more." : "Only two can be compared."}
            </span>
          )}
          <Button kind="bare" onClick={clear}>
            Clear selection
          </Button>
        </>
      )}
    </div>
  );
}
