/**
 * Says of a script's text whether it makes trends of times alone, which k6's buckets keep well. Those of plain numbers may
 * have small ones: below zero they are in none of k6's buckets, and below 0.1 in ones that are too wide.
 *
 * In:  the text of a script or a module. Out: why nobody can be sure, if so.
 *
 * It is no parser. It takes away what it understands for certain, and whatever is left of `Trend`, of `k6/metrics` or of
 * ways to make code from text is a doubt: a name handed to a function, an alias, a property whose name is worked out.
 */

/** A trend of times: two arguments, the second of them `true`. */
const timeTrend = /\bnew\s+(?:\w+\.)?Trend\s*\([^(),/]*,\s*true\s*,?\s*\)/g;

/** TypeScript's type of a variable: makes nothing, and is nothing that could be handed on. */
const annotation = /(\b(?:const|let|var)\s+\w+\s*:\s*(?:\w+\.)?)Trend(?=\s*=\s*new\b)/g;

const classes = "Counter|Gauge|Rate|Trend";
const module = `["']k6/metrics["']`;
/** By their own names; all but `Trend` by another, too. */
const list = `\\{\\s*(?:(?:Trend|(?:Counter|Gauge|Rate)(?:\\s+as\\s+\\w+)?)\\s*(?:,\\s*|(?=\\})))*\\}`;
const listed = new RegExp(
  `\\bimport\\s*${list}\\s*from\\s*${module}|\\b(?:const|let|var)\\s*${list}\\s*=\\s*require\\(\\s*${module}\\s*\\)`,
  "g",
);
const namespace = new RegExp(
  `\\bimport\\s+(?:\\*\\s*as\\s+)?(\\w+)\\s+from\\s*${module}|` +
    `\\b(?:const|let|var)\\s+(\\w+)\\s*=\\s*require\\(\\s*${module}\\s*\\)(?=\\s*;)`,
  "g",
);

/** An import of what is neither k6's own nor a file beside the script, or of a module that makes metrics. */
const otherModule =
  /\b(?:from|import|require)\s*\(?\s*["'`](?!\.{0,2}\/|k6(?:["'`]|\/(?!x\/|browser|experimental\/browser)))/;
/** An import whose name is worked out, or written in a way that hides it. */
const unknownModule =
  /\b(?:import|require)\s*\(\s*(?:[^"'`\s)]|(["'`])[^"'`]*\1\s*[^\s)]|`[^`]*\$)|\brequire\b(?!\s*\()|\bimport\s*\/|\b(?:from|import|require)\s*\(?\s*(["'`])[^"'`\n]*\\/;
/** Code made from text, and a class taken from what it has made. */
const hidden = /\b(?:eval|Function)\s*\(|\.\s*constructor\b|\[\s*["'`]constructor\b/;

/** Undefined if there is no doubt that all trends are of times. */
export function whyPlainTrends(source: string): string | undefined {
  const names = new Set<string>();
  const rest = source
    .replace(annotation, "$1Rate")
    .replace(timeTrend, (made) => made.replace("Trend", "Rate"))
    .replace(listed, "")
    .replace(namespace, (_statement, imported?: string, required?: string) => {
      names.add(imported ?? required ?? "");
      return "";
    });
  const isTold =
    /\bTrend\b|k6\/metrics/.test(rest) || [...names].some((name) => isPassedOn(name, rest));
  if (isTold || hidden.test(source)) return "a trend of plain numbers may have small ones";
  if (otherModule.test(source) || unknownModule.test(source)) {
    return "a module may have a trend of plain numbers";
  }
  return undefined;
}

/** Whether more is done with `k6/metrics` as a whole than to take one of its classes. Another object's property is not it. */
function isPassedOn(name: string, source: string): boolean {
  return new RegExp(`(?<![^.]\\.)\\b${name}\\b(?!\\s*\\.\\s*(?:${classes})\\b)`).test(source);
}
