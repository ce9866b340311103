/**
 * Writes down which metrics a real exporter has: `test/golden/exporters/NAME.txt`, for `npm run dashboards:check`.
 *
 *   node scripts/record-exporter.mjs NAME "WHAT IT IS" URL…
 *
 * Several URLs, or several times the same, are put together. test/golden/exporters/README.md has the recipes.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ScriptError, fail } from "./run.mjs";
import { ensureBuild, ensureDependencies, projectFolder } from "./setup.mjs";

/** @param {readonly string[]} args */
async function main([name, what, ...urls]) {
  if (name === undefined || what === undefined || urls.length === 0) {
    throw new ScriptError('usage: node scripts/record-exporter.mjs NAME "WHAT IT IS" URL…');
  }
  await ensureDependencies();
  await ensureBuild();
  const { parseExposition, toRecording } = await import("../dist/dashboards/check/exposition.js");
  const texts = [];
  for (const url of urls) {
    const answer = await fetch(url);
    if (!answer.ok) throw new ScriptError(`${url} answered ${answer.status}; expected metrics`);
    texts.push(await answer.text());
  }
  const families = parseExposition(texts.join("\n"));
  if (families.length === 0) throw new ScriptError(`${urls.join(", ")}: no metrics`);
  const file = path.join(projectFolder, "test", "golden", "exporters", `${name}.txt`);
  await writeFile(file, `# ${what}\n${toRecording(families)}`);
  console.log(`${families.length} metrics in ${path.relative(projectFolder, file)}`);
}

await main(process.argv.slice(2)).catch(fail);
