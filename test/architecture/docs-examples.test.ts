import { readFileSync } from "node:fs";
import { Command } from "commander";
import { expect, it } from "vitest";
import { backupCommand } from "../../src/cli/backup.ts";
import { configCommand } from "../../src/cli/config.ts";
import { doctorCommand } from "../../src/cli/doctor.ts";
import { downCommand } from "../../src/cli/down.ts";
import { envCommand } from "../../src/cli/env.ts";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { replayCommand } from "../../src/cli/replay.ts";
import { reportCommand } from "../../src/cli/report.ts";
import { runCommand } from "../../src/cli/run.ts";
import { runsCommand } from "../../src/cli/runs.ts";
import { serveCommand } from "../../src/cli/serve.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { tokenCommand } from "../../src/cli/token.ts";
import { upCommand } from "../../src/cli/up.ts";
import { splitRunArguments } from "../../src/cli/run-arguments.ts";

const pages = [
  "README.md",
  "examples/README.md",
  "docs/authentication.md",
  "docs/cli.md",
  "docs/errors.md",
  "docs/metrics.md",
  "docs/options.md",
  "docs/spool.md",
  "docs/stack.md",
];

/** The command lines that begin with `plimsoll`, also behind a pipe, in a page's shell blocks. */
function commandLines(page: string): string[] {
  const text = readFileSync(page, "utf8");
  const blocks = [...text.matchAll(/^ *```(?:sh|console)\n([\s\S]*?)^ *```/gm)].map(
    ([, block]) => block ?? "",
  );
  return blocks
    .flatMap((block) => block.replaceAll("\\\n", " ").split(/\n|\|/))
    .map((line) => line.replace(/^\s*\$? ?/, "").replace(/\s+#.*$/, ""))
    .filter((line) => line.startsWith("plimsoll "));
}

/** Splits as a shell does, as far as the docs need it: blanks and quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, ""),
  );
}

const silent = { write: () => true };
const io = {
  stdout: silent,
  stderr: silent,
  stdin: process.stdin,
  env: {},
  cwd: "/",
  k6Arguments: [],
  nodeVersion: "20.19.0",
  setExitCode: () => undefined,
};

async function parse(line: string): Promise<void> {
  const run = runCommand(io);
  const stack = [upCommand(io), statusCommand(io), downCommand(io)];
  const commands = [
    run,
    ingestCommand(io),
    replayCommand(io),
    configCommand(io),
    doctorCommand(io),
    ...stack,
    serveCommand(io),
    envCommand(io),
    runsCommand(io),
    tokenCommand(io),
    backupCommand(io),
    reportCommand(io),
  ];
  const program = new Command("plimsoll")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const command of commands) {
    program.addCommand(silence(command, program));
  }
  const [, name = "", ...args] = words(line);
  const own = name === "run" ? splitRunArguments(run, args).own : args;
  await program.parseAsync([name, ...own], { from: "user" });
}

/** It and its subcommands do nothing. */
function silence(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const subcommand of command.commands) silence(subcommand, command);
  return command.commands.length > 0 ? command : command.action(() => undefined);
}

const examples = pages.flatMap((page) => commandLines(page).map((line) => [page, line] as const));

it("finds the examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(10);
});

it.each(examples)("%s: %s", async (_, line) => {
  await expect(parse(line)).resolves.toBeUndefined();
});

it("would notice an option that does not exist", async () => {
  await expect(parse("plimsoll run script.js --test-id x")).rejects.toThrow("unknown option");
});
