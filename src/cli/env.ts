/**
 * `plimsoll env`: what to export so that an unmodified k6 takes this server for its cloud.
 */
import { Command, Option } from "commander";
import { k6Environment } from "../server/k6-environment.ts";
import type { CommandIo } from "./command-io.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import { publicUrlOf } from "./server-url.ts";
import { guessShell, type Shell, shells, toExports } from "./shell-export.ts";

export function envCommand(io: CommandIo): Command {
  const command = new Command("env")
    .description("print what to export so that k6 streams to a Plimsoll server")
    .addOption(new Option("--shell <shell>", "for which shell (default: yours)").choices(shells));
  addOptionFlags(command, "client");
  return command
    .addHelpText(
      "after",
      `
The server is --server, or what --public-url and --listen of this machine's configuration come to.

Examples:
  eval "$(plimsoll env --token plm_…)"
  plimsoll env --server https://k6.example.com --token plm_… --shell fish | source
  plimsoll env --shell powershell --token plm_… | Out-String | Invoke-Expression
  k6 cloud run --local-execution script.js`,
    )
    .action(({ shell = guessShell(io.env) }: { shell?: Shell }) => {
      const { values: options } = resolveCommandOptions(command, io);
      const { server = publicUrlOf(options), token } = options;
      io.stdout.write(toExports(k6Environment({ server, token }), shell));
      if (token !== undefined) return;
      io.stderr.write(
        "plimsoll: no token: give --token, set PLIMSOLL_TOKEN, or log in with " +
          `k6 cloud login --token TOKEN --stack ${server}\n`,
      );
    });
}
