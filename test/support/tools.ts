/**
 * The programs that integration tests run for real, where this machine has them.
 *
 * vitest.config.ts puts each that is found into its `PLIMSOLL_TOOL_*` variable (see scripts/tools.mjs).
 */
import { describe, it } from "vitest";

export type ToolName =
  | "chromium"
  | "docker-compose"
  | "k6-1"
  | "k6-2"
  | "k6-2-1"
  | "node-exporter"
  | "pgbouncer-exporter"
  | "postgres-exporter"
  | "postgres-exporter-debian"
  | "prometheus-2"
  | "prometheus-3"
  | "promtool-2"
  | "promtool-3"
  | "strace"
  | "victoria-metrics";

const variableOf = (tool: ToolName) => `PLIMSOLL_TOOL_${tool.toUpperCase().replaceAll("-", "_")}`;

/** The path of a program; `undefined` where this machine does not have it. */
export function findTool(tool: ToolName): string | undefined {
  return process.env[variableOf(tool)] || undefined;
}

/**
 * Like `describe`, with the program's path. Without the program the suite says by name that it was skipped,
 * and fails where `REQUIRE_SERVICES=1`, as in CI.
 */
export function describeWithTool(
  tool: ToolName,
  name: string,
  body: (program: string) => void,
): void {
  const program = findTool(tool);
  if (program !== undefined) {
    describe(name, () => body(program));
    return;
  }
  const missing = `${tool} is not installed: run "node scripts/tools.mjs install ${tool}", or set ${variableOf(tool)}`;
  if (process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => {
      throw new Error(missing);
    });
  } else {
    it.skip(`${name} (${missing})`);
  }
}

/** The same for a suite that needs several; without one of them, the first that is missing is named. */
export function describeWithTools(
  tools: readonly ToolName[],
  name: string,
  body: () => void,
): void {
  const missing = tools.find((tool) => findTool(tool) === undefined);
  if (missing !== undefined) return describeWithTool(missing, name, () => undefined);
  describe(name, body);
}
