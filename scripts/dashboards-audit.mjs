/**
 * `npm run dashboards:audit -- --record [options] | --prometheus URL [options] [FILE…]`: what a person would see on the dashboards.
 *
 * Brings `tools/dashboard-audit`, which has dependencies of its own, to where it can run, and passes it the options;
 * without files it looks at `dashboards/*.json`.
 *
 *   --record              starts the stack, records runs, looks at each dashboard with its time and variables, and
 *                         removes all of it
 *   --screenshots FOLDER  with --record: pictures of each dashboard, light and dark
 *   --keep                with --record: leaves the stack running, and says how to look again
 *
 * Exit code 1 where there are findings that are not expected.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { queryNumber } from "./demo-load.mjs";
import { recordRuns } from "./dashboards-record.mjs";
import { ScriptError, exitCode, fail } from "./run.mjs";
import { ensureBuild, ensureDependencies, ensureNode, projectFolder } from "./setup.mjs";
import { toolPath, variableOf } from "./tools.mjs";

/** @import { View } from "./dashboards-record.mjs" */

const tool = "tools/dashboard-audit";
const program = path.join(projectFolder, tool, "audit.mjs");

/**
 * What the audit finds on a recording and no dashboard is to blame for.
 *
 * @type {readonly { text: string, on: readonly string[], reason: string, unless?: string }[]} Part of the finding's line;
 *   on which dashboards; not where the store answers this query with anything.
 */
const expected = [
  {
    text: "no data: annotation Anomaly",
    on: ["run", "correlation", "fleet", "pipeline"],
    reason: "nothing writes plimsoll_anomaly",
  },
  {
    text: "plimsoll-run/Newest sample: no data",
    on: ["run"],
    reason: "the run is over, as the panel says",
  },
  {
    text: "plimsoll-pipeline/Pending now: no data",
    on: ["pipeline"],
    reason: "the run is over, as the panel says",
  },
  {
    text: "plimsoll-pipeline/Lag now: no data",
    on: ["pipeline"],
    reason: "the run is over, as the panel says",
  },
  {
    text: "unknown metric: plimsoll_samples_dropped_total",
    on: ["pipeline"],
    reason: "nothing was dropped, as the panel says",
  },
  {
    text: "unknown metric: plimsoll_remote_write_samples_failed_total",
    on: ["pipeline"],
    reason: "the store refused nothing, as the panels say",
  },
  {
    text: "unknown metric: plimsoll_remote_write_samples_dropped_total",
    on: ["pipeline"],
    reason: "nothing was lost before it was sent, as the panels say",
  },
  {
    text: "unknown metric: plimsoll_remote_write_stalled_seconds",
    on: ["pipeline"],
    reason: "delivery was never stalled, as the panel says",
  },
  {
    text: "no data: annotation Run end",
    on: ["fleet"],
    reason: "the fleet is looked at while it runs",
  },
  {
    text: "unknown metric: mysql_",
    on: ["correlation"],
    reason: "the native stack has no MySQL",
  },
  {
    text: "unknown metric: redis_",
    on: ["correlation"],
    reason: "the native stack has no Redis",
  },
  {
    text: "unknown metric: pgbouncer_",
    on: ["correlation"],
    reason: "PgBouncer is not on every machine",
    unless: "pgbouncer_up",
  },
  {
    text: "plimsoll-correlation/Received and sent: no data: query C",
    on: ["correlation"],
    reason: "a virtual network device has no speed",
    unless: 'node_network_speed_bytes{device!="lo"} > 0',
  },
];

/** @param {readonly string[]} args */
async function main(args) {
  ensureNode();
  await ensureDependencies(tool);
  if (args.includes("--record")) {
    process.exitCode = (await auditRecording(args)) ? 0 : 1;
    return;
  }
  const files = args.some((argument) => argument.endsWith(".json") && !argument.startsWith("-"))
    ? []
    : (await readdir(path.join(projectFolder, "dashboards")))
        .filter((name) => name.endsWith(".json"))
        .map(dashboardFile);
  process.exitCode = await audit([...args, ...files]);
}

/** @param {string} name */
const dashboardFile = (name) => path.join(projectFolder, "dashboards", name);

/** @param {readonly string[]} args */
async function audit(args) {
  const code = await exitCode(process.execPath, [program, ...args], {
    stdio: "inherit",
    env: { ...process.env, [variableOf("chromium")]: needed("chromium") },
  });
  return typeof code === "number" ? code : 1;
}

/** @param {string} name */
function needed(name) {
  const found = toolPath(name);
  if (found !== undefined) return found;
  throw new ScriptError(`needs ${name}: run "node scripts/tools.mjs install ${name}"`);
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} Whether nothing was found.
 */
async function auditRecording(args) {
  const { values: flags } = parseArgs({
    args: [...args],
    options: {
      record: { type: "boolean" },
      screenshots: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  await ensureDependencies();
  await ensureBuild();
  for (const name of ["chromium", "node-exporter", "postgres-exporter"]) needed(name);
  const interrupted = new AbortController();
  const { signal } = interrupted;
  for (const name of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(name, () => interrupted.abort(new ScriptError(`interrupted by ${name}`)));
  }
  const workFolder = await mkdtemp(path.join(tmpdir(), "plimsoll-audit-"));
  const stackFolder = await mkdtemp(path.join(tmpdir(), "plimsoll-audit-stack-"));
  let keep = false;
  try {
    const log = (/** @type {string} */ line) => console.error(`records ${line}`);
    const k6 = needed("k6-2");
    const { stack, views } = await recordRuns({ k6, workFolder, stackFolder, log, signal });
    try {
      const known = await knownFindings(stack.storeUrl);
      const looks = views.map((view) => optionsOf(view, stack.storeUrl, known));
      const themes = flags.screenshots ? ["light", "dark"] : ["dark"];
      const pictures = flags.screenshots ? ["--screenshots", flags.screenshots] : [];
      let found = 0;
      for (const options of looks) {
        for (const theme of themes) {
          signal.throwIfAborted();
          if ((await audit(["--theme", theme, ...pictures, ...options])) !== 0) found += 1;
        }
      }
      keep = flags.keep;
      if (keep) {
        const quoted = (/** @type {string} */ word) =>
          /^[\w/.:=-]+$/.test(word) ? word : `'${word}'`;
        for (const options of looks) {
          console.error(`npm run dashboards:audit -- ${options.map(quoted).join(" ")}`);
        }
        console.error(`the stack goes on; to end it: ${stack.downCommand}; rm -r ${stackFolder}`);
      }
      return found === 0;
    } finally {
      if (!keep) await stack.stop();
    }
  } finally {
    await rm(workFolder, { recursive: true, force: true });
    if (!keep) await rm(stackFolder, { recursive: true, force: true });
  }
}

/** Those expected of this machine. @param {string} storeUrl */
async function knownFindings(storeUrl) {
  const known = [];
  for (const one of expected) {
    const count =
      one.unless === undefined ? 0 : await queryNumber(storeUrl, `count(${one.unless})`);
    if (count === 0) known.push(one);
  }
  return known;
}

/**
 * @param {View} view
 * @param {string} storeUrl
 * @param {typeof expected} known
 */
function optionsOf({ dashboard, from, to, variables }, storeUrl, known) {
  const expectations = known.filter(({ on }) => on.includes(dashboard));
  return [
    `--prometheus=${storeUrl}`,
    "--scrape-interval=1s",
    `--from=${from}`,
    `--to=${to}`,
    ...Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
    ...expectations.flatMap(({ text }) => ["--expect", text]),
    dashboardFile(`${dashboard}.json`),
  ];
}

await main(process.argv.slice(2)).catch(fail);
