/**
 * `npm run dashboards:check`: holds `dashboards/*.json` against the code that generates them, promtool, the metrics that
 * the pipeline and the exporters have, and Grafana's schemas.
 *
 * A line per finding, with its dashboard, panel and query, then what was looked at. Exit code 1 where there are findings.
 * Where promtool or the schemas are not here, it says so; with REQUIRE_SERVICES=1, as in CI, it fails.
 */
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { ScriptError, fail } from "./run.mjs";
import { ensureBuild, ensureDependencies, ensureNode, projectFolder } from "./setup.mjs";
import { toolPath } from "./tools.mjs";

const folder = path.join(projectFolder, "dashboards");
const rules = path.join(projectFolder, "provisioning", "prometheus", "rules");
/** From grafana/grafana-foundation-sdk, beside the clone: the project does not ship them. */
const schemas = path.join(projectFolder, "..", "shared", "data", "grafana-jsonschema");

async function main() {
  ensureNode();
  await ensureDependencies();
  await ensureBuild();
  const { dashboards } = await import("../dist/dashboards/all.js");
  const { checkCurrent } = await import("../dist/dashboards/check/current.js");
  const { checkDashboard } = await import("../dist/dashboards/check/check-dashboard.js");
  const { checkWithPromtool } = await import("../dist/dashboards/check/promtool.js");
  const { readCatalogue } = await import("../dist/dashboards/check/read-catalogue.js");
  const { readSchemas } = await import("../dist/dashboards/check/schemas.js");

  const catalogue = await readCatalogue({
    recordings: path.join(projectFolder, "test", "golden", "exporters"),
    rules: existsSync(rules) ? rules : undefined,
  });
  const checkSchema = existsSync(schemas) ? await readSchemas(schemas) : undefined;
  if (!checkSchema) missing(`no schemas of Grafana in ${schemas}`);

  const files = await readDashboards();
  const findings = checkCurrent(files, dashboards);
  const expressions = [];
  const counts = { panels: 0, expressions: 0, metrics: 0, labels: 0, units: 0 };
  for (const [name, text] of files) {
    const dashboard = JSON.parse(text);
    const checked = checkDashboard(name, dashboard, catalogue);
    findings.push(...checked.findings, ...(checkSchema?.(name, dashboard) ?? []));
    expressions.push(...checked.expressions);
    for (const key of objectKeys(counts)) counts[key] += checked.counts[key];
  }

  const versions = [];
  for (const tool of ["promtool-2", "promtool-3"]) {
    const program = toolPath(tool);
    if (program === undefined) {
      missing(`${tool} is not here: run "node scripts/tools.mjs install ${tool}"`);
      continue;
    }
    versions.push(tool);
    findings.push(...(await checkWithPromtool(program, expressions)));
  }

  const lines = new Set(findings.map(({ place, message }) => `${place}: ${message}`));
  for (const line of lines) console.log(line);
  const looked = objectKeys(counts).map((key) => `${counts[key]} ${key}`);
  const means = [...versions, ...(checkSchema ? ["Grafana's schemas"] : [])].join(", ");
  console.log(
    `${files.size} dashboards: ${looked.join(", ")} of ${catalogue.size} known metrics; with ${means || "neither promtool nor schemas"}`,
  );
  const blind = objectKeys(counts).filter((key) => counts[key] === 0);
  if (blind.length > 0)
    throw new ScriptError(`looked at no ${blind.join(", no ")}: nothing was checked`);
  if (lines.size > 0) throw new ScriptError(`${lines.size} findings`);
}

/** Their texts by name. @returns {Promise<Map<string, string>>} */
async function readDashboards() {
  const files = existsSync(folder) ? await readdir(folder) : [];
  const texts = new Map();
  for (const file of files.filter((name) => name.endsWith(".json"))) {
    texts.set(path.basename(file, ".json"), await readFile(path.join(folder, file), "utf8"));
  }
  return texts;
}

/** @param {string} what */
function missing(what) {
  if (process.env["REQUIRE_SERVICES"] === "1" || process.env["CI"] === "true")
    throw new ScriptError(what);
  console.error(`not checked: ${what}`);
}

/**
 * @template {object} T
 * @param {T} object
 * @returns {(keyof T)[]}
 */
const objectKeys = (object) => /** @type {(keyof T)[]} */ (Object.keys(object));

await main().catch(fail);
