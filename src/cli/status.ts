/**
 * `plimsoll status`: whether the stack is up, service by service.
 */
import { Command } from "commander";
import { readState } from "../stack/state.ts";
import { nativeStatus } from "../stack/status.ts";
import { exitCodes } from "./exit-codes.ts";
import { addStackFlags, type StackIo, stackFolder, toStatusTable } from "./stack-flags.ts";

export function statusCommand(io: StackIo): Command {
  const command = new Command("status")
    .description('show how the stack is that "plimsoll up" has started')
    .option("--json", "print one JSON object");
  addStackFlags(command);
  return command
    .addHelpText(
      "after",
      `
SCRAPED is what Prometheus says of its last scrape. The exit code is 0 only if something was started, and all of it is
up and scraped.

Examples:
  plimsoll status
  plimsoll status --json`,
    )
    .action(async ({ json = false }: { json?: boolean }) => {
      const folder = stackFolder(command, io);
      const state = readState(folder);
      const status = state ? await nativeStatus(folder, state) : undefined;
      if (json) {
        const nothing = { mode: null, isHealthy: false, services: [] };
        io.stdout.write(`${JSON.stringify({ folder, ...(status ?? nothing) }, null, 2)}\n`);
      } else if (status === undefined || status.services.length === 0) {
        io.stdout.write('nothing is up; "plimsoll up" starts the stack\n');
      } else {
        io.stdout.write(toStatusTable(status));
      }
      io.setExitCode(status?.isHealthy === true ? exitCodes.ok : exitCodes.unavailable);
    });
}
