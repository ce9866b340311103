/**
 * A small disk of its own for one test, which can be full: a tmpfs. Mounting it takes root.
 */
import { execFileSync } from "node:child_process";
import { it } from "vitest";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface Tmpfs extends AsyncDisposable {
  readonly path: string;
}

export async function mountTmpfs(sizeBytes: number): Promise<Tmpfs> {
  const folder = await createTemporaryFolder();
  try {
    execFileSync(
      "mount",
      ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "plimsoll-test", folder.path],
      {
        stdio: "pipe",
      },
    );
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      execFileSync("umount", [folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Like `it`. Without root the test says by name that it was skipped, and fails where `REQUIRE_SERVICES=1`. */
export function itWithTmpfs(name: string, body: () => Promise<void>): void {
  if (process.getuid?.() === 0 || process.env["REQUIRE_SERVICES"] === "1") it(name, body);
  else it.skip(`${name} (a disk of its own takes root)`);
}
