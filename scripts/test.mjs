/**
 * `npm test`: brings the clone and the test tools up to date, then runs the tests with vitest.
 *
 * Arguments go to vitest: `npm test -- test/integration/ingest.test.ts -t gzip`. Where a tool cannot be had, its tests
 * skip by name; with REQUIRE_SERVICES=1, as in CI, they fail, and so does this script.
 */
import { exitCode, fail } from "./run.mjs";
import {
  dependencyProgram,
  ensureBuild,
  ensureDependencies,
  ensureNode,
  projectFolder,
} from "./setup.mjs";
import { installTools, tools } from "./tools.mjs";

/** @param {string} line */
const log = (line) => console.error(line);

async function main() {
  ensureNode();
  await ensureDependencies();
  await ensureBuild();
  const names = tools.map((tool) => tool.name);
  const reports = await installTools(names, { log });

  // vitest.config.ts tells the tests where the tools are.
  const args = ["run", ...process.argv.slice(2)];
  const options = { cwd: projectFolder, stdio: /** @type {const} */ ("inherit") };
  const code = await exitCode(dependencyProgram("vitest"), args, options);

  const missing = reports.filter((report) => report.path === undefined);
  for (const report of missing) log(`missing: ${report.tool.name}: ${report.missing}`);
  const incomplete = missing.length > 0 && process.env["REQUIRE_SERVICES"] === "1";
  process.exitCode = code === 0 && !incomplete ? 0 : 1;
}

await main().catch(fail);
