/**
 * The Docker engine that scripts/test.mjs has started and filled for `test/containers`, and Compose on it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { findTool } from "./tools.ts";

const projectFolder = fileURLToPath(new URL("../..", import.meta.url));

/** For `DOCKER_HOST`; `undefined` where there is no engine for the tests. */
const dockerHost: string | undefined = process.env["PLIMSOLL_TEST_DOCKER_HOST"] || undefined;

/**
 * Like `describe`. Without an engine the suite says by name that it was skipped, and fails where
 * `REQUIRE_SERVICES=1`, as in CI.
 */
export function describeWithEngine(name: string, body: (dockerHost: string) => void): void {
  if (dockerHost !== undefined) {
    const host = dockerHost;
    describe(name, () => body(host));
    return;
  }
  const missing =
    'there is no Docker engine for it: run "npm run test:containers" as root on Debian';
  if (process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => {
      throw new Error(missing);
    });
  } else {
    it.skip(`${name} (${missing})`);
  }
}

export interface ComposeOptions {
  readonly dockerHost?: string;
  /** Beside `PATH`; nothing else comes from outside. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ComposeResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Compose on the project's docker-compose.yml. */
export async function compose(
  args: readonly string[],
  { dockerHost, env = {} }: ComposeOptions = {},
): Promise<ComposeResult> {
  const program = findTool("docker-compose");
  if (program === undefined) {
    throw new Error('no Compose here: run "node scripts/tools.mjs install docker-compose"');
  }
  const child = spawn(program, ["--env-file", "/dev/null", ...args], {
    cwd: projectFolder,
    env: {
      PATH: process.env["PATH"],
      ...(dockerHost !== undefined && { DOCKER_HOST: dockerHost }),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(child, "close");
  return { exitCode: child.exitCode, stdout, stderr };
}
