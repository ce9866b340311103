/**
 * `npm test`: brings the clone and the test tools up to date, then runs the tests with vitest.
 *
 * Arguments go to vitest: `npm test -- test/integration/cli.test.ts -t gzip`. Where a tool cannot be had, its tests
 * skip by name; with REQUIRE_SERVICES=1, as in CI, they fail, and so does this script. The tests of the project
 * `containers` get a Docker engine of their own; they are left out, by name, where there can be none.
 */
import { startContainers } from "./containers.mjs";
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

  const missing = reports
    .filter((report) => report.path === undefined)
    .map((report) => `${report.tool.name}: ${report.missing}`);
  const containers = wantsContainers() ? await startContainers(log) : undefined;
  if (containers?.missing !== undefined) missing.push(`containers: ${containers.missing}`);

  // vitest.config.ts tells the tests where the tools are.
  const args = ["run", ...process.argv.slice(2)];
  const env = { ...process.env, ...containers?.env };
  const options = { cwd: projectFolder, env, stdio: /** @type {const} */ ("inherit") };
  // vitest gets the signal too, and ends; what we have started is still to be stopped.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => {});
  let code;
  try {
    code = await exitCode(dependencyProgram("vitest"), args, options);
  } finally {
    await containers?.stop?.();
  }

  for (const line of missing) log(`missing: ${line}`);
  const incomplete = missing.length > 0 && process.env["REQUIRE_SERVICES"] === "1";
  process.exitCode = code === 0 && !incomplete ? 0 : 1;
}

/** Whether the arguments leave the project `containers` among those that run. */
function wantsContainers() {
  const args = process.argv.slice(2);
  const projects = args.flatMap((arg, index) =>
    arg === "--project" ? [args[index + 1]] : arg.startsWith("--project=") ? [arg.slice(10)] : [],
  );
  const files = args.filter((arg) => arg.startsWith("test/"));
  return projects.length > 0
    ? projects.includes("containers")
    : files.length === 0 || files.some((file) => file.startsWith("test/containers"));
}

await main().catch(fail);
