/**
 * `plimsoll down`: ends the stack, and removes its data if asked to.
 */
import { Command } from "commander";
import { stackDown } from "../stack/stack.ts";
import { addStackFlags, type StackIo, stackOptions } from "./stack-flags.ts";

export function downCommand(io: StackIo): Command {
  const command = new Command("down")
    .description('end what "plimsoll up" has started; its data stays')
    .option("--remove-data", "also remove everything that the stack has stored");
  addStackFlags(command);
  return command
    .addHelpText(
      "after",
      `
Each service is asked to end, the last started first, and killed after 20 seconds.

Examples:
  plimsoll down
  plimsoll down --remove-data`,
    )
    .action(async ({ removeData: isDataRemoved = false }: { removeData?: boolean }) => {
      await stackDown(stackOptions(command, io), { isDataRemoved });
    });
}
