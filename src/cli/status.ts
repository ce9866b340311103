/**
 * `plimsoll status`: whether the stack is up, service by service.
 */
import { Command } from "commander";
import { stackStatus } from "../stack/stack.ts";
import { exitCodes } from "./exit-codes.ts";
import {
  addStackFlags,
  type StackIo,
  stackOptions,
  toStatusJson,
  toStatusTable,
} from "./stack-flags.ts";

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
      const options = stackOptions(command, io);
      const status = await stackStatus(options);
      if (json) io.stdout.write(toStatusJson(options.folder, status));
      else if (status) io.stdout.write(toStatusTable(status));
      else options.log('nothing is up; "plimsoll up" starts the stack');
      io.setExitCode(status?.isHealthy === true ? exitCodes.ok : exitCodes.unavailable);
    });
}
