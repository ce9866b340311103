/** A run that k6 recorded (test/golden/k6), as if it had been thirteen months ago. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const recorded = fileURLToPath(new URL("../golden/k6/v2.2.0.jsonl", import.meta.url));

/** HTTP requests in it. */
export const oldRunRequests = 2;

export interface OldRun {
  readonly file: string;
  /** A Unix time at which its last values can be queried. */
  readonly endSeconds: number;
}

export async function writeOldRun(folder: string): Promise<OldRun> {
  const lines = (await readFile(recorded, "utf8")).trim().split("\n");
  const times = lines.flatMap((line) => /"time":"([^"]+)"/.exec(line)?.[1] ?? []);
  const endMs = Date.now() - 400 * 24 * 3_600_000;
  const shiftMs = endMs - Date.parse(times.at(-1) ?? "");
  const shifted = lines.map((line) =>
    line.replace(/"time":"([^"]+)"/, (_, time: string) => {
      return `"time":"${new Date(Date.parse(time) + shiftMs).toISOString()}"`;
    }),
  );
  const file = join(folder, "old.json");
  await writeFile(file, `${shifted.join("\n")}\n`);
  return { file, endSeconds: endMs / 1_000 + 60 };
}
