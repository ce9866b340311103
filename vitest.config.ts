/**
 * The projects: `fast` needs nothing but the source tree, `integration` runs real programs, two files at a time, and
 * `integration-alone` one; `containers` runs docker-compose.yml in the Docker engine that scripts/test.mjs starts.
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

/** Files that measure times or use all cores: a neighbour would be in what they see. */
const alone = [
  "attribution",
  "autocannon",
  "freshness",
  "generator-health",
  "k6-cloud-network",
  "live-clock",
  "page-live",
  "shop-faults",
  "stack",
].map((name) => `test/integration/${name}.test.ts`);
const auditTests = "tools/*/test/**/*.test.ts";

/** Of tests of real programs: hooks run a load and start several stores, where the machine has other work to do. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

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
          include: ["test/integration/**/*.test.ts"],
          exclude: alone,
          env: toolVariables,
          ...patience,
          // They wait more than they work: for the load to end, for the next scrape, for what is killed to be back.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration-alone",
          include: [...alone, auditTests],
          env: toolVariables,
          ...patience,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
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
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
