/**
 * `plimsoll report RUN -o FILE`: a run as one HTML file, of a server's runs or of those of the store of this machine.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { connectionRows } from "../config/connection-rows.ts";
import type { OptionName, Options } from "../config/options.ts";
import { redactUrl } from "../config/redact-url.ts";
import { InputError, messageOf, systemErrorCode, UsageError } from "../errors.ts";
import type { CommandIo } from "./command-io.ts";
import { exitCodes } from "./exit-codes.ts";
import { gatherReport } from "./gather-report.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import type { RunsAccess } from "./runs-access.ts";
import { type ReportBundle, toReportPage } from "./report-page.ts";

interface ReportIo extends CommandIo {
  setExitCode(code: number): void;
}

interface ReportFlags {
  readonly output: string;
  readonly force?: boolean;
}

export function reportCommand(io: ReportIo): Command {
  const command = new Command("report")
    .description("write a run as one HTML file, with its charts, tables and log, to hand on")
    .argument("<run>", "its number or testid")
    .requiredOption("-o, --output <file>", 'where to; "-" is standard output')
    .option("--force", "write over a file that is there");
  // Its keys are the names of options.
  const connection = Object.keys(connectionRows) as OptionName[];
  addOptionFlags(command, "client", "dataDir", "databaseUrl", "queryUrl", ...connection);
  return command
    .addHelpText(
      "after",
      `
The file holds all that it shows: it opens without a server, asks nothing of any network, and prints. It has up to 600 times
of each chart and the end of the log; of the script it has the options, and no secret.

Without --server, charts come from the store of --remote-write-url or --query-url. Where it does not answer, the report has what the record
has, says so, and the exit code is ${exitCodes.unavailable}.

Examples:
  plimsoll report 17 -o run-17.html --server https://k6.example.com
  plimsoll report checkout-20261122T220845Z-1f0c9a2b -o - > run.html`,
    )
    .action(async (name: string, { output, force = false }: ReportFlags) => {
      const { values: options } = resolveCommandOptions(command, io);
      const path = output === "-" ? undefined : resolve(io.cwd, output);
      // Before anybody waits for the store.
      if (path !== undefined && !force && existsSync(path)) throw alreadyThere(output);
      const data = await gather(name, options);
      const page = toReportPage(data, await readBundle());
      if (path === undefined) io.stdout.write(page);
      else await write(path, page, { output, force });
      if (path !== undefined) {
        io.stderr.write(`plimsoll: run ${data.run.id} (${data.run.testid}) is in ${output}\n`);
      }
      if (data.problem) {
        io.stderr.write(`plimsoll: without charts and tables: ${data.problem.message}\n`);
        io.setExitCode(exitCodes.unavailable);
      }
    });
}

async function gather(name: string, options: Options): ReturnType<typeof gatherReport> {
  await using access = await open(options);
  const { server } = options;
  const source = server === undefined ? `the store of ${hostname()}` : redactUrl(server);
  return await gatherReport(access, name, { source, madeMs: systemClock.nowMs() });
}

/**
 * Only here: every other command does without the time that it takes. A function of its own, because the compiler leaves
 * `.ts` in an `import()` beside `await using`.
 */
async function open(options: Options): Promise<RunsAccess> {
  const { openChartedRuns } = await import("./open-runs.ts");
  return await openChartedRuns(options);
}

async function readBundle(): Promise<ReportBundle> {
  // From src/cli/ and from dist/cli/.
  const folder = new URL("../../dist/web-report/", import.meta.url);
  const read = async (name: string): Promise<string> =>
    await readFile(fileURLToPath(new URL(name, folder)), "utf8");
  return { script: await read("report.js"), style: await read("report.css") };
}

async function write(
  path: string,
  page: string,
  { output, force }: { readonly output: string; readonly force: boolean },
): Promise<void> {
  try {
    await writeFile(path, page, { flag: force ? "w" : "wx" });
  } catch (cause) {
    if (systemErrorCode(cause) === "EEXIST") throw alreadyThere(output);
    throw new InputError(`cannot write ${JSON.stringify(output)}: ${messageOf(cause)}`, { cause });
  }
}

function alreadyThere(output: string): UsageError {
  return new UsageError(`${JSON.stringify(output)} is there already: --force writes over it`);
}
