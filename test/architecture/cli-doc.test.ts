/** docs/cli.md has the flags of the commands and the fields of the report. `UPDATE_DOCS=1` rewrites the flags. */
import type { Command } from "commander";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { backupCommand } from "../../src/cli/backup.ts";
import { configCommand } from "../../src/cli/config.ts";
import { doctorCommand } from "../../src/cli/doctor.ts";
import { downCommand } from "../../src/cli/down.ts";
import { envCommand } from "../../src/cli/env.ts";
import { ingestCommand } from "../../src/cli/ingest.ts";
import type { RunReport } from "../../src/cli/run-report.ts";
import { replayCommand } from "../../src/cli/replay.ts";
import { reportCommand } from "../../src/cli/report.ts";
import { runCommand } from "../../src/cli/run.ts";
import { runsCommand } from "../../src/cli/runs.ts";
import { serveCommand } from "../../src/cli/serve.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { tokenCommand } from "../../src/cli/token.ts";
import { upCommand } from "../../src/cli/up.ts";
import { checkNames } from "../../src/doctor/check.ts";
import { optionRows } from "../../src/config/option-table.ts";
import { expectGeneratedTable, readTable, uncode } from "../support/markdown.ts";
import { reportFields } from "../support/run-report.ts";

const sink = { write: () => undefined };
const io = {
  stdin: Readable.from([]),
  stdout: sink,
  stderr: sink,
  env: {},
  cwd: "/",
  k6Arguments: [],
  nodeVersion: "20.19.0",
  setExitCode: () => undefined,
};

it.each([
  { name: "run", command: runCommand(io), flags: 12 },
  { name: "ingest", command: ingestCommand(io), flags: 6 },
  { name: "replay", command: replayCommand(io), flags: 6 },
  { name: "config", command: configCommand(io), flags: 2 },
  { name: "doctor", command: doctorCommand(io), flags: 3 },
  { name: "up", command: upCommand(io), flags: 7 },
  { name: "status", command: statusCommand(io), flags: 2 },
  { name: "down", command: downCommand(io), flags: 2 },
  { name: "serve", command: serveCommand(io), flags: 1 },
  { name: "env", command: envCommand(io), flags: 2 },
  { name: "backup", command: backupCommand(io), flags: 1 },
  { name: "report", command: reportCommand(io), flags: 3 },
  { name: "runs list", command: subcommand(runsCommand(io), "list"), flags: 12 },
  { name: "runs show", command: subcommand(runsCommand(io), "show"), flags: 2 },
  { name: "runs note", command: subcommand(runsCommand(io), "note"), flags: 1 },
  { name: "runs star", command: subcommand(runsCommand(io), "star"), flags: 2 },
  { name: "runs delete", command: subcommand(runsCommand(io), "delete"), flags: 1 },
  { name: "runs export", command: subcommand(runsCommand(io), "export"), flags: 2 },
  { name: "runs create", command: subcommand(runsCommand(io), "create"), flags: 6 },
  { name: "runs end", command: subcommand(runsCommand(io), "end"), flags: 4 },
  { name: "runs stop", command: subcommand(runsCommand(io), "stop"), flags: 1 },
  { name: "runs share", command: subcommand(runsCommand(io), "share"), flags: 3 },
  { name: "token create", command: subcommand(tokenCommand(io), "create"), flags: 3 },
  { name: "token list", command: subcommand(tokenCommand(io), "list"), flags: 2 },
  { name: "token revoke", command: subcommand(tokenCommand(io), "revoke"), flags: 1 },
])("lists the $flags flags that $name has of its own", async ({ name, command, flags }) => {
  const own = ownOptions(command);
  expect(own).toHaveLength(flags);
  await expectGeneratedTable("cli.md", `<!-- begin: generated flags of ${name} -->`, [
    ["Flag", "Meaning"],
    ...own.map((option) => [`\`${option.flags}\``, option.description]),
  ]);
});

function subcommand(command: Command, name: string): Command {
  return command.commands.find((one) => one.name() === name) ?? expect.unreachable(name);
}

function ownOptions(command: Command) {
  const shared = optionRows.flatMap(({ flag }) => [flag, flag.replace("--", "--no-")]);
  // What a command has of its own under a shared name stands under no heading of the table.
  return command.options.filter(
    ({ long, helpGroupHeading }) => helpGroupHeading === undefined || !shared.includes(long ?? ""),
  );
}

/** One of each field, those that may be absent too; the type keeps it whole. */
const report: Required<RunReport> = {
  testid: "",
  test: "",
  state: "finished",
  thresholds: [],
  generatorExitCode: 0,
  url: "",
  protocol: "",
  trends: "",
  samples: { read: 0, aggregated: 0, late: 0, dropped: {} },
  points: { recovered: 0, encoded: 0, delivered: 0, pending: 0, rejected: {} },
  corruptRequests: 0,
  series: {
    made: 0,
    overflowed: 0,
    collided: 0,
    labelCollisions: 0,
    excessLabels: 0,
    truncatedLabels: 0,
    replacedRunTags: 0,
  },
  requests: 0,
  encodedBytes: 0,
  lastPointMs: 0,
  bytesSent: 0,
  spoolDirectory: "",
  generator: { cpus: 0, maxCpuRatio: 0, saturatedSeconds: 0 },
  summary: {},
  reconciliation: { compared: 0, differences: [] },
};

it("documents every field of the report", async () => {
  const fields = reportFields(report);
  const rows = await readTable("cli.md", "## The report");
  expect(rows.map(([field]) => uncode(field))).toEqual(fields);
  expect(fields).toHaveLength(35);
});

it("documents every check of the doctor", async () => {
  const rows = await readTable("cli.md", "### What it looks at");
  expect(rows.map(([check]) => uncode(check))).toEqual([...checkNames]);
  expect(rows).toHaveLength(14);
});
