/**
 * Process ids of its own for a program, as in a container. Making them takes root on Linux.
 */
import { platform } from "node:os";
import { it } from "vitest";

/** Starts what follows in it. Killed, it kills it. */
const container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];

/** Like `it`. Elsewhere the test says by name that it was skipped, and fails where `REQUIRE_SERVICES=1`. */
export function itWithPidNamespace(
  name: string,
  body: (container: readonly string[]) => Promise<void>,
  timeoutMs: number,
): void {
  const isPossible = platform() === "linux" && process.getuid?.() === 0;
  if (isPossible || process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => body(container), timeoutMs);
  } else it.skip(`${name} (process ids of its own take root on Linux)`);
}
