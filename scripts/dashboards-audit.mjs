/**
 * `npm run dashboards:audit -- --prometheus URL [options] [FILE…]`: what a person would see on the dashboards.
 *
 * Brings `tools/dashboard-audit`, which has dependencies of its own, to where it can run, and passes it the options;
 * without files it looks at `dashboards/*.json`.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { ScriptError, exitCode, fail } from "./run.mjs";
import { ensureDependencies, ensureNode, projectFolder } from "./setup.mjs";
import { toolPath, variableOf } from "./tools.mjs";

const tool = "tools/dashboard-audit";

/** @param {readonly string[]} args */
async function main(args) {
  ensureNode();
  const chromium = toolPath("chromium");
  if (chromium === undefined) {
    throw new ScriptError('needs Chromium: run "node scripts/tools.mjs install chromium"');
  }
  await ensureDependencies(tool);
  const all = readdirSync(path.join(projectFolder, "dashboards"))
    .filter((name) => name.endsWith(".json"))
    .map((name) => path.join(projectFolder, "dashboards", name));
  const files = args.some((argument) => argument.endsWith(".json") && !argument.startsWith("-"))
    ? []
    : all;
  const program = path.join(projectFolder, tool, "audit.mjs");
  const code = await exitCode(process.execPath, [program, ...args, ...files], {
    stdio: "inherit",
    env: { ...process.env, [variableOf("chromium")]: chromium },
  });
  process.exitCode = typeof code === "number" ? code : 1;
}

await main(process.argv.slice(2)).catch(fail);
