/**
 * The dashboard History over a thousand runs of two years on Prometheus 3: how long each query takes, and what a run
 * takes on disk. The work is in history.bench.ts, which needs the tests' TypeScript.
 */
import { runBenchFile } from "./run-bench-file.mjs";

export function bench() {
  runBenchFile("history.bench.ts");
}
