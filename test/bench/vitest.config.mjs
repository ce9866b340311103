/** Benchmarks that need what the tests have: real stores, and the dashboards' own queries. Run by `npm run bench`. */
import { defineConfig } from "vitest/config";
import { toolPath, tools, variableOf } from "../../scripts/tools.mjs";

export default defineConfig({
  test: {
    include: ["test/bench/*.bench.ts"],
    env: Object.fromEntries(
      tools.flatMap(({ name }) => {
        const program = toolPath(name);
        return program === undefined ? [] : [[variableOf(name), program]];
      }),
    ),
    testTimeout: 600_000,
    reporters: ["verbose"],
    disableConsoleIntercept: true,
  },
});
