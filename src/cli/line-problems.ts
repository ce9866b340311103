/**
 * Shows problems of the input: the first few of each kind, then only how many there were.
 */
import type { LineProblem } from "../sample/json-lines.ts";

const shownPerKind = 3;

export class LineProblems {
  readonly #log: (text: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  add({ line, dropped, text }: LineProblem): void {
    const kind = dropped ?? "remark";
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= shownPerKind) this.#log(`line ${line}: ${text}`);
    if (count === shownPerKind) this.#log(`(further lines of kind ${kind} are counted, not shown)`);
  }
}
