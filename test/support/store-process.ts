/**
 * A process of its own that writes to a repository: the built package, as fast as it can.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestDatabase } from "./databases.ts";

export interface StoreProcess {
  /** Opens the repository and begins. Before, it does all that takes longer than that. */
  begin(): void;
  /** The lines that it has printed, each behind a write that was acknowledged. */
  readonly lines: readonly string[];
  /** Resolves when it has printed a line more. */
  nextLine(): Promise<void>;
  kill(): void;
  /** Resolves when it has ended; rejects with what it said where that was an error. */
  readonly ended: Promise<void>;
}

const dist = (module: string) => new URL(`../../dist/${module}`, import.meta.url).href;

/**
 * Resolves when it is ready to begin.
 *
 * @param body Has `repository`, and `say(text)`, which writes a line at once.
 */
export async function startStoreProcess(
  database: TestDatabase,
  body: string,
): Promise<StoreProcess> {
  const script = `
    import { writeSync } from "node:fs";
    import { openRepository } from ${JSON.stringify(dist("store/open-repository.js"))};
    import { systemClock } from ${JSON.stringify(dist("clock.js"))};
    const options = ${JSON.stringify(database.options)};
    const say = (text) => writeSync(1, text + "\\n");
    say("ready");
    await new Promise((resolve) => process.stdin.once("end", resolve).resume());
    const repository = await openRepository({ ...options, clock: systemClock });
    ${body}
    await repository[Symbol.asyncDispose]();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let rest = "";
  let stderr = "";
  let onLine = () => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    if (parts.length > 0) onLine();
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const waitForEnd = async () => {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    onLine();
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`it ended with ${code}: ${stderr}`);
  };
  const ended = waitForEnd();
  const nextLine = () => new Promise<void>((resolve) => (onLine = resolve));
  while (lines.length === 0) await Promise.race([nextLine(), ended]);
  lines.shift();
  return {
    begin: () => child.stdin.end(),
    lines,
    nextLine,
    kill: () => child.kill("SIGKILL"),
    ended,
  };
}
