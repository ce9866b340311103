/**
 * `plimsoll down`: ends the stack, and removes its data if asked to.
 */
import { Command } from "commander";
import { stopNative } from "../stack/native-stack.ts";
import { removeData } from "../stack/remove-data.ts";
import { addStackFlags, type StackIo, stackFolder } from "./stack-flags.ts";

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
      const folder = stackFolder(command, io);
      const log = (text: string): void => void io.stderr.write(`plimsoll: ${text}\n`);
      const ended = await stopNative({ folder, log });
      if (ended.length === 0) log("nothing is up");
      if (isDataRemoved) {
        const removed = await removeData(folder);
        log(removed.length === 0 ? "there is no data" : `removed ${removed.join(", ")}`);
      }
    });
}
