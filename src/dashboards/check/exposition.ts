/**
 * Metrics as an exporter shows them: which there are, of which type, with which labels.
 *
 * In:  Prometheus' text format, version 0.0.4.
 * Out: a family per metric; the labels are those that any of its series has.
 */

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly labels: ReadonlySet<string>;
}

/** Sorted by name. A histogram's `le` and a summary's `quantile` go without saying. */
export function parseExposition(text: string): Family[] {
  const types = new Map<string, string>();
  const labels = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, typed, type] = /^# TYPE (\S+) (\w+)/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    const [, series, list = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (series === undefined) continue;
    const name = familyOf(series, types);
    const known = labels.get(name) ?? new Set();
    for (const [, label = ""] of list.matchAll(/(\w+)="(?:\\.|[^"\\])*"/g)) known.add(label);
    labels.set(name, known);
  }
  return [...labels]
    .map(([name, all]) => {
      const type = types.get(name) ?? "untyped";
      if (type === "histogram") all.delete("le");
      if (type === "summary") all.delete("quantile");
      return { name, type, labels: all };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function familyOf(series: string, types: ReadonlyMap<string, string>): string {
  const base = series.replace(/_(bucket|sum|count)$/, "");
  const type = types.get(base);
  return base !== series && (type === "histogram" || type === "summary") ? base : series;
}

/** A line per family, as `parseRecording` reads it. */
export function toRecording(families: readonly Family[]): string {
  return families
    .map(({ name, type, labels }) => `${[name, type, ...[...labels].toSorted()].join(" ")}\n`)
    .join("");
}
