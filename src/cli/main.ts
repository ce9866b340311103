#!/usr/bin/env node
/**
 * The command `plimsoll`: parses, calls a command, turns errors into messages and exit codes.
 */
// First, before the heap has grown.
import "./small-heap.ts";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { PlimsollError } from "../errors.ts";
import { exitCodeByError, exitCodes } from "./exit-codes.ts";
import { runCommand } from "./run.ts";
import { splitRunArguments } from "./run-arguments.ts";
import { version } from "../version.ts";

// A reader that has gone away (`| head`) is no reason to lose a run.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

const io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  nodeVersion: process.versions.node,
  k6Arguments: [] as readonly string[],
  setExitCode: (code: number) => {
    process.exitCode = code;
  },
};

const program = new Command("plimsoll")
  .description(
    "The home of a team's load tests: every sample in your own Prometheus, while the test runs.",
  )
  .version(version)
  .exitOverride()
  // Commander's messages begin as ours do.
  .configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, "plimsoll: ")),
  });
const run = runCommand(io);
// A run shares its machine with the load: it does without the time that loading the others' modules takes.
const otherCommands = process.argv[2] === "run" ? [] : await loadOtherCommands();
for (const command of [run, ...otherCommands]) {
  program.addCommand(inherit(command, program));
}

try {
  const args = process.argv.slice(2);
  if (args[0] === "run") {
    const { own, k6 } = splitRunArguments(run, args.slice(1));
    io.k6Arguments = k6;
    await program.parseAsync(["run", ...own], { from: "user" });
  } else {
    await program.parseAsync(args, { from: "user" });
  }
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Commander hands settings on when a command is made, which is before the program is. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const subcommand of command.commands) inherit(subcommand, command);
  return command;
}

async function loadOtherCommands(): Promise<Command[]> {
  const { ingestCommand } = await import("./ingest.ts");
  const { replayCommand } = await import("./replay.ts");
  const { configCommand } = await import("./config.ts");
  const { doctorCommand } = await import("./doctor.ts");
  const { upCommand } = await import("./up.ts");
  const { statusCommand } = await import("./status.ts");
  const { downCommand } = await import("./down.ts");
  const { serveCommand } = await import("./serve.ts");
  const { envCommand } = await import("./env.ts");
  const { tokenCommand } = await import("./token.ts");
  const { runsCommand } = await import("./runs.ts");
  const { reportCommand } = await import("./report.ts");
  const { backupCommand } = await import("./backup.ts");
  const samples = [ingestCommand(io), replayCommand(io), configCommand(io), doctorCommand(io)];
  const server = [
    serveCommand(io),
    envCommand(io),
    runsCommand(io),
    reportCommand(io),
    tokenCommand(io),
    backupCommand(io),
  ];
  return [...samples, ...server, upCommand(io), statusCommand(io), downCommand(io)];
}

function exitCodeOf(error: unknown): number {
  // Commander has written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof PlimsollError)) {
    process.stderr.write(`plimsoll: this is a bug in plimsoll\n${stackOf(error)}\n`);
    return exitCodes.internal;
  }
  process.stderr.write(`plimsoll: ${error.message}\n`);
  return exitCodeByError[error.code];
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
