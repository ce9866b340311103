/**
 * Finds variables that a dashboard uses and does not have.
 *
 * Grafana leaves such a text as it is: in a query it selects nothing, in a title it is read.
 */
import type { Dashboard } from "@grafana/schema";

/** Grafana's own, from "Global variables" of its manual; the rest of a name after a dot is not looked at here. */
const builtIn = new Set(
  (
    "__interval __interval_ms __rate_interval __rate_interval_ms __range __range_s __range_ms __from __to __timezone " +
    "__all __dashboard __user __org __name __value __field __series __data __url __url_time_range __all_variables timeFilter"
  ).split(" "),
);

const reference = /\$(\w+)|\[\[(\w+)(?::\w+)?\]\]|\$\{(\w+)(?:[.:[][^}]*)?\}/g;

/** Names that may be used; `__inputs` are filled in while Grafana imports the dashboard. */
export function definedVariables(dashboard: Dashboard): Set<string> {
  const { __inputs: inputs = [] } = dashboard as { __inputs?: { name: string }[] };
  const list = dashboard.templating?.list ?? [];
  return new Set([...list, ...inputs].map(({ name }) => name).concat(...builtIn));
}

/** A message for each use of an unknown variable in any text below `value`; nested panels are not its own. */
export function undefinedVariables(value: unknown, defined: Set<string>, path = ""): string[] {
  if (typeof value === "string") {
    return (
      [...value.matchAll(reference)]
        .map(([text, plain, brackets, braces]) => ({
          text,
          name: plain ?? brackets ?? braces ?? "",
        }))
        // `$1` is a group of a regular expression.
        .filter(({ name }) => !/^\d/.test(name) && !defined.has(name))
        .map(({ text }) => `${text} in ${path}`)
    );
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => undefinedVariables(item, defined, `${path}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => key !== "panels")
    .flatMap(([key, item]) => undefinedVariables(item, defined, path ? `${path}.${key}` : key));
}
