/**
 * `plimsoll doctor`: whether a run would work from here, what to change, and what could be better.
 *
 * Takes every option that `plimsoll run` takes, so that the same options are asked about.
 */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import type { Check } from "../doctor/check.ts";
import {
  checkConfig,
  checkK6,
  checkNode,
  checkSpool,
  checkSpoolData,
} from "../doctor/local-checks.ts";
import { checkReceiver } from "../doctor/receiver-checks.ts";
import { createClient } from "../output/create-client.ts";
import type { CommandIo } from "./command-io.ts";
import { exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format.ts";
import { addOptionFlags, configFileOf, resolveCommandOptions } from "./option-flags.ts";
import { userAgent } from "../version.ts";

interface DoctorFlags {
  readonly k6?: string;
  readonly json?: boolean;
}

export interface DoctorIo extends CommandIo {
  readonly nodeVersion: string;
  setExitCode(code: number): void;
}

export function doctorCommand(io: DoctorIo): Command {
  const command = new Command("doctor")
    .description("look whether a run would work from here, and say what to change")
    .option("--k6 <path>", "the k6 to look at (default: k6 on PATH)")
    .option("--json", "print one JSON object");
  addOptionFlags(command, "run", "prometheus-rw");
  return command
    .addHelpText(
      "after",
      `
The receiver is really asked: a few points of the series plimsoll_probe and plimsoll_probe_histogram with
testid="plimsoll-doctor" are written.
The exit code is 4 if there is a problem; a warning is none.

Examples:
  plimsoll doctor
  plimsoll doctor --out prometheus-rw=https://mimir.example.com/api/v1/push --json`,
    )
    .action(async (flags: DoctorFlags) => {
      io.setExitCode(await doctor(command, io, flags));
    });
}

async function doctor(command: Command, io: DoctorIo, flags: DoctorFlags): Promise<number> {
  const { values: options } = resolveCommandOptions(command, io);
  const local = [
    checkNode(io.nodeVersion),
    checkConfig(configFileOf(command, io)),
    await checkK6(flags.k6, io.env),
    await checkSpool(options),
    await checkSpoolData(options.spoolDir),
  ];
  const clock = systemClock;
  await using client = await createClient(options, { clock, userAgent });
  const receiver = await checkReceiver({ options, client, clock, random: Math.random });
  const checks = [...local, ...receiver];
  const problems = checks.filter(({ level }) => level === "problem").length;
  const warnings = checks.filter(({ level }) => level === "warning").length;
  if (flags.json === true) {
    const report = { ok: problems === 0, problems, warnings, checks: checks.map(toJson) };
    io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    io.stdout.write(toTable(checks));
    io.stderr.write(`plimsoll: ${counted(problems, "problem")}, ${counted(warnings, "warning")}\n`);
  }
  return problems === 0 ? exitCodes.ok : exitCodes.unavailable;
}

/** Every check has the same keys. */
function toJson({
  check,
  level,
  text,
  change = null,
  facts,
}: Omit<Check, "change"> & { change?: string | null }): object {
  return { check, level, text, change, facts };
}

function toTable(checks: readonly Check[]): string {
  return formatTable([
    ["CHECK", "STATE", "RESULT"],
    ...checks.flatMap(({ check, level, text, change }) => [
      [check, level, text],
      ...(change === undefined ? [] : [["", "", `-> ${change}`]]),
    ]),
  ]);
}

const counted = (count: number, what: string): string =>
  `${count === 0 ? "no" : count} ${what}${count === 1 ? "" : "s"}`;
