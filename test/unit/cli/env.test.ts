import { expect, it } from "vitest";
import { envCommand } from "../../../src/cli/env.ts";

async function env(args: readonly string[], environment: Record<string, string> = {}) {
  let stdout = "";
  let stderr = "";
  const command = envCommand({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: environment,
    cwd: "/nowhere",
  });
  await command.parseAsync(args, { from: "user" });
  return { stdout, stderr };
}

it("exports everything by which k6 would go to somebody else's cloud", async () => {
  const { stdout, stderr } = await env(["--server", "https://k6.test/", "--token", "plm_t"]);
  expect(stdout.trimEnd().split("\n")).toEqual([
    "export K6_CLOUD_HOST='https://k6.test'",
    "export K6_CLOUD_HOST_V6='https://k6.test'",
    "export K6_CLOUD_WEB_APP_URL='https://k6.test'",
    "export K6_CLOUD_STACK_URL='https://k6.test'",
    "export K6_CLOUD_LOGS_TAIL_URL='wss://k6.test/api/v1/tail'",
    "export K6_CLOUD_TRACES_ENABLED='false'",
    "export K6_CLOUD_TOKEN='plm_t'",
    "export K6_CLOUD_STACK_ID='1'",
    "export K6_CLOUD_PROJECT_ID='1'",
    "export K6_NO_USAGE_REPORT='true'",
    "export K6_AUTO_EXTENSION_RESOLUTION='false'",
  ]);
  expect(stderr).toBe("");
});

it("takes the server from this machine's own configuration, and says how to get a token", async () => {
  const { stdout, stderr } = await env(["--shell", "fish"], { PLIMSOLL_LISTEN: "[::1]:7000" });
  expect(stdout).toContain("set -gx K6_CLOUD_HOST 'http://[::1]:7000'\n");
  expect(stdout).not.toContain("K6_CLOUD_TOKEN");
  expect(stderr).toContain("k6 cloud login --token TOKEN --stack http://[::1]:7000");
});
