/**
 * Load from a script: k6 as a child process, its samples through a named pipe.
 */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../config/option-row.ts";
import { messageOf } from "../errors.ts";
import { expectScript, findK6, type K6, type K6Process, startK6 } from "../generate/k6.ts";
import { isThresholdAbort, runStateOf } from "../generate/k6-exit.ts";
import type { K6Summary } from "../generate/k6-summary.ts";
import { countsOf } from "../generate/reconcile.ts";
import type { ThresholdResult } from "../output/run-series.ts";
import { openFifo } from "../sample/fifo.ts";
import { JsonLinesReader } from "../sample/json-lines.ts";
import { LineProblems } from "./line-problems.ts";
import type { Load, LoadContext, LoadEnd } from "./load.ts";

export interface ScriptLoadOptions {
  readonly script: string;
  /** Flags for `k6 run`, in the user's order. */
  readonly args: readonly string[];
  /** Where k6 is, if not on PATH. */
  readonly k6: string | undefined;
  readonly env: Environment;
}

/** @throws GeneratorError if there is no such script, or no k6 */
export async function prepareScriptLoad(options: ScriptLoadOptions): Promise<Load> {
  const { script, env } = options;
  await expectScript(script);
  const k6 = await findK6({ path: options.k6, env });
  return new ScriptLoad(k6, options);
}

class ScriptLoad implements Load {
  readonly generator: string;
  readonly #k6: K6;
  readonly #options: ScriptLoadOptions;
  #process: K6Process | undefined;
  #folder: string | undefined;

  constructor(k6: K6, options: ScriptLoadOptions) {
    this.#k6 = k6;
    this.#options = options;
    this.generator = `k6 ${k6.version}`;
  }

  async run(context: LoadContext): Promise<LoadEnd> {
    const folder = await mkdtemp(join(tmpdir(), "plimsoll-"));
    this.#folder = folder;
    try {
      return await this.#runIn(folder, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  kill(): void {
    // `stop` asks first and kills then.
    this.#process?.stop();
    this.#process?.stop();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #runIn(folder: string, context: LoadContext): Promise<LoadEnd> {
    const { sink, signal, log, onProcess, onLoadOver } = context;
    const fifoPath = join(folder, "samples.json");
    const fifo = await openFifo(fifoPath);
    let wasThresholdAbort = false;
    try {
      this.#process = await startK6({
        ...this.#options,
        k6: this.#k6,
        fifoPath,
        summaryPath: join(folder, "summary.json"),
        stdout: "inherit",
        onLogLine: (line) => {
          wasThresholdAbort ||= isThresholdAbort(line);
          log(line);
        },
      });
    } catch (error) {
      fifo.release();
      throw error;
    }
    const k6 = this.#process;
    onProcess("k6", k6.pid);
    const stop = (): void => k6.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // A k6 that never opens the pipe ends it by ending itself.
    const exited = k6.exited.finally(() => fifo.release());
    const problems = new LineProblems((text) => log(`plimsoll: k6's samples, ${text}`));
    const reader = new JsonLinesReader(sink, { onProblem: (problem) => problems.add(problem) });
    for await (const chunk of fifo.chunks) reader.write(chunk);
    reader.end();
    onLoadOver();
    const exit = await exited;
    signal.removeEventListener("abort", stop);
    const summary = await k6.summary().catch((error: unknown) => {
      // The samples are what counts; without the summary they are only not compared.
      log(`plimsoll: ${messageOf(error)}`);
      return undefined;
    });
    return {
      state: runStateOf(exit, { wasInterrupted: signal.aborted, wasThresholdAbort }),
      thresholds: thresholdsOf(summary),
      exitCode: exit.code ?? signalExitCode(exit.signal),
      counts: summary && countsOf(summary),
    };
  }
}

/** As shells do: 137 tells that something killed k6, e.g. for want of memory. */
function signalExitCode(signal: string | null): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal ?? ""] ?? 0);
}

function thresholdsOf(summary: K6Summary | undefined): ThresholdResult[] {
  return [...(summary?.metrics ?? [])].flatMap(([metric, { thresholds }]) =>
    [...thresholds].map(([threshold, ok]) => ({ metric, threshold, ok })),
  );
}
