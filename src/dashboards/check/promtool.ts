/**
 * Lets Prometheus' own promtool read every expression, as rules of one file.
 *
 * In:  expressions without variables.
 * Out: findings with what promtool says of an expression.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { Finding } from "./finding.ts";
import type { Expression } from "./check-dashboard.ts";

/**
 * @param program promtool's path
 * @throws Error where promtool does not run, or refuses the file for another reason than an expression
 */
export async function checkWithPromtool(
  program: string,
  expressions: readonly Expression[],
): Promise<Finding[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "plimsoll-rules-"));
  try {
    const rules = expressions.map(({ expr }, index) => ({
      record: `plimsoll_check_${index}`,
      expr,
    }));
    const file = path.join(folder, "rules.yaml");
    await writeFile(file, stringify({ groups: [{ name: "dashboards", rules }] }, { lineWidth: 0 }));
    return readFindings(await output(program, file), expressions);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Output {
  readonly code: number;
  readonly text: string;
}

/** The rules alone, without what promtool's linter thinks of their names. */
async function output(program: string, file: string): Promise<Output> {
  try {
    const options = { maxBuffer: 64 * 1_024 * 1_024 };
    const { stdout, stderr } = await promisify(execFile)(
      program,
      ["check", "rules", "--lint=none", file],
      options,
    );
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number")
      throw new Error(`cannot run ${JSON.stringify(program)}`, { cause: error });
    return { code, text: `${stdout}${stderr}` };
  }
}

function readFindings({ code, text }: Output, expressions: readonly Expression[]): Finding[] {
  if (code === 0) {
    // "SUCCESS: 812 rules found": a version that reads another number has not read ours.
    const found = Number(/SUCCESS: (\d+) rules found/.exec(text)?.[1]);
    if (found === expressions.length) return [];
    throw new Error(`promtool found ${found} rules; expected ${expressions.length}: ${text}`);
  }
  // One for each place: the values of its variables seldom make another mistake of it.
  const findings = new Map<string, Finding>();
  for (const [, index, message] of text.matchAll(/"plimsoll_check_(\d+)": (.*)$/gm)) {
    const { place, expr } = expressions[Number(index)] ?? { place: "", expr: "" };
    if (findings.has(place)) continue;
    findings.set(place, { place, message: `promtool: ${message}; in ${JSON.stringify(expr)}` });
  }
  if (findings.size === 0) throw new Error(`promtool refuses the rules: ${text}`);
  return [...findings.values()];
}
