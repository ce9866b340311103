/**
 * Three projects: `fast` needs nothing but the source tree, `integration` runs real programs, `containers` runs
 * docker-compose.yml in the Docker engine that scripts/test.mjs starts.
 *
 * The tests learn where those programs are from `PLIMSOLL_TOOL_*` (see scripts/tools.mjs), which are set here for
 * every tool that this machine has, however vitest was started.
 */
import { defineConfig } from "vitest/config";
import { toolPath, tools, variableOf } from "./scripts/tools.mjs";

const toolVariables = Object.fromEntries(
  tools.flatMap(({ name }) => {
    const program = toolPath(name);
    return program === undefined ? [] : [[variableOf(name), program]];
  }),
);

export default defineConfig({
  test: {
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/{unit,architecture,conformance}/**/*.test.ts"],
          // Properties take a second or two, and many times that on a machine that is busy with something else.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", "tools/*/test/**/*.test.ts"],
          env: toolVariables,
          // A file's servers and load generators share the cores with nothing but its own tests.
          fileParallelism: false,
          testTimeout: 120_000,
          // Of a hook that runs a load and starts several stores, where the machine has other work to do.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "containers",
          include: ["test/containers/**/*.test.ts"],
          env: toolVariables,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
