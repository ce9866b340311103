/**
 * `npm run dashboards`: writes Grafana's dashboards, `src/dashboards/`, to `dashboards/*.json`.
 *
 * The files are checked in: they are what people import.
 */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fail } from "./run.mjs";
import { ensureBuild, ensureDependencies, ensureNode, projectFolder } from "./setup.mjs";

async function main() {
  ensureNode();
  await ensureDependencies();
  await ensureBuild();
  const { dashboards } = await import("../dist/dashboards/all.js");
  const folder = path.join(projectFolder, "dashboards");
  await mkdir(folder, { recursive: true });
  const files = new Set();
  for (const [name, create] of Object.entries(dashboards)) {
    const file = `${name}.json`;
    files.add(file);
    await writeFile(path.join(folder, file), `${JSON.stringify(create(), null, 2)}\n`);
    console.log(`dashboards/${file}`);
  }
  for (const file of await readdir(folder)) {
    if (!files.has(file)) await rm(path.join(folder, file));
  }
}

await main().catch(fail);
