/**
 * "did you mean": the known name nearest to a misspelled one.
 */

/** Edits allowed, as a share of the longer name: one in three characters. */
const maxEditRatio = 1 / 3;

/** ` (did you mean "…"?)`, or nothing when no candidate is near. Case, `-` and `_` do not count. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const wanted = fold(name);
  let best: string | undefined;
  let bestRatio = maxEditRatio;
  for (const candidate of candidates) {
    const known = fold(candidate);
    // `PLIMSOLL_…`'s prefix is cut by the caller, so `URL` is short for `REMOTE_WRITE_URL`.
    const isShortForm = wanted.length >= 3 && known.endsWith(wanted);
    const ratio = isShortForm
      ? 0
      : editDistance(wanted, known) / Math.max(wanted.length, known.length);
    if (ratio < bestRatio || (ratio === bestRatio && best === undefined)) {
      best = candidate;
      bestRatio = ratio;
    }
  }
  return best === undefined ? "" : ` (did you mean ${JSON.stringify(best)}?)`;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

/** Levenshtein's distance. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substituted = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, at(previous, column) + 1, at(current, column - 1) + 1));
    }
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  // Rows hold one more cell than `to` has characters.
  return row[column] ?? Number.NaN;
}
