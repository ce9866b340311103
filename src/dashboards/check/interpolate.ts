/**
 * Grafana's variables: which ones a text names, and what becomes of an expression with each of their values.
 *
 * In:  a text and the dashboard's variables.
 * Out: one expression per combination of values that can make a difference to Prometheus.
 */
import type { VariableJson } from "./model.ts";

/** `$name`, `${name}`, `${name:format}`, `${name.field}`, `[[name]]`; `$1` belongs to a regular expression. */
const reference =
  /\$\{([a-zA-Z_]\w*)(?:[.[][^}:]*)?(?::([^}]*))?\}|\$([a-zA-Z_]\w*)|\[\[([a-zA-Z_]\w*)(?::(\w+))?\]\]/g;

/** Variables that Grafana has by itself in a query, with a value such as it gives. */
const builtIn: Readonly<Record<string, string>> = {
  __interval: "15s",
  __interval_ms: "15000",
  __rate_interval: "1m",
  __rate_interval_ms: "60000",
  __range: "3600s",
  __range_s: "3600",
  __range_ms: "3600000",
  __from: "1700000000000",
  __to: "1700003600000",
};

/** Those that it has in titles, links and texts, too. */
const builtInText: ReadonlySet<string> = new Set([
  ...Object.keys(builtIn),
  "__all_variables",
  "__cell",
  "__dashboard",
  "__data",
  "__field",
  "__name",
  "__org",
  "__series",
  "__timezone",
  "__url_time_range",
  "__user",
  "__value",
]);

export interface Reference {
  readonly name: string;
  /** As in `${name:regex}`. */
  readonly format: string;
}

export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(reference)].map(
    ([, braced, bracedFormat, bare, bracketed, bracketedFormat]) => ({
      name: braced ?? bare ?? bracketed ?? "",
      format: bracedFormat ?? bracketedFormat ?? "",
    }),
  );
}

/** Whether Grafana has it without its being defined: in a query, or in any text. */
export const isBuiltIn = (name: string, where: "query" | "text"): boolean =>
  where === "query" ? Object.hasOwn(builtIn, name) : builtInText.has(name);

/**
 * The text with each combination of the values that a variable lists, since those may be parts of names; of the others,
 * whose values are only labels', with all their first values, all their second ones and so on. A variable that nobody
 * defined stays as it stands.
 */
export function interpolations(text: string, variables: readonly VariableJson[]): string[] {
  const names = [...new Set(referencesIn(text).map(({ name }) => name))];
  const values = new Map(names.map((name) => [name, valuesOf(name, variables)]));
  const isListed = (name: string): boolean =>
    variables.some((variable) => variable.name === name && variable.type === "custom");
  let combinations: ReadonlyMap<string, string>[] = [new Map()];
  for (const name of names.filter(isListed)) {
    combinations = combinations.flatMap((combination) =>
      (values.get(name) ?? []).map((value) => new Map([...combination, [name, value]])),
    );
  }
  const others = names.filter((name) => !isListed(name) && values.get(name)?.length !== 0);
  const rounds = Math.max(1, ...others.map((name) => values.get(name)?.length ?? 0));
  const texts = combinations.flatMap((combination) =>
    Array.from({ length: rounds }, (_, round) => {
      const chosen = others.map((name): [string, string] => [
        name,
        values.get(name)?.at(round) ?? values.get(name)?.[0] ?? "",
      ]);
      return fill(text, new Map([...combination, ...chosen]));
    }),
  );
  return [...new Set(texts)];
}

function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(reference, (match, braced, bracedFormat, bare, bracketed, format) => {
    const value = values.get(String(braced ?? bare ?? bracketed));
    if (value === undefined) return match;
    const wanted = String(bracedFormat ?? format ?? "");
    if (wanted.startsWith("date:seconds")) return value.slice(0, -3);
    return wanted === "csv" ? value.replaceAll(/[()]/g, "").replaceAll("|", ",") : value;
  });
}

function valuesOf(name: string, variables: readonly VariableJson[]): string[] {
  const own = builtIn[name];
  if (own !== undefined) return [own];
  const variable = variables.find((candidate) => candidate.name === name);
  if (!variable) return [];
  const { type, query, options = [], multi = false, includeAll = false, allValue = "" } = variable;
  // What people may type is theirs; what stands there at first has to work, an empty text as well.
  if (type === "textbox" || type === "constant") return [typeof query === "string" ? query : ""];
  const current = [variable.current?.value ?? ""]
    .flat()
    .filter((value) => value !== "" && value !== "$__all");
  const listed = options.flatMap(({ value = [] }) => value).filter((value) => value !== "$__all");
  // A number stands for any value that is known only when Prometheus answers: it can be a label's and a duration's.
  const [first = "1"] = current;
  const single = type === "custom" || type === "interval" ? listed : [first];
  const values = single.length > 0 ? single : [first];
  // Several values become a regular expression.
  const several = multi ? [`(${[...values, ...values].slice(0, 2).join("|")})`] : [];
  return [...values, ...several, ...(includeAll && allValue !== "" ? [allValue] : [])];
}
