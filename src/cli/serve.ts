/**
 * `plimsoll serve`: a k6 cloud of one's own. Takes what unmodified k6 pushes, and streams it to Prometheus.
 */
import { Command } from "commander";
import type { CommandIo } from "./command-io.ts";
import { planOutputs } from "./open-outputs.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import { UsageError } from "../errors.ts";

export function serveCommand(io: CommandIo): Command {
  const command = new Command("serve").description(
    "be the cloud that unmodified k6 streams to, and hand every sample on to Prometheus",
  );
  addOptionFlags(command, "serve", "out", "prometheus-rw");
  return command
    .addHelpText(
      "after",
      `
The first start makes an admin token and shows it once; "plimsoll token create" makes others. Ctrl-C ends orderly, twice
at once; runs that go on are taken up again by the next start.

Examples:
  plimsoll serve --out prometheus-rw=http://localhost:9090/api/v1/write
  plimsoll serve --listen :6460 --public-url https://k6.example.com --tls-cert k6.pem --tls-key k6.key
  eval "$(plimsoll env --token plm_…)" && k6 cloud run --local-execution script.js`,
    )
    .action(async () => {
      const { values: options } = resolveCommandOptions(command, io);
      const [file] = planOutputs(options.out, false).jsonFiles;
      if (file !== undefined) {
        throw new UsageError(
          `--out json=${file} is for one run; a server has many: expected prometheus-rw[=URL]`,
        );
      }
      // Only here: every other command does without the time that loading a server takes.
      const { serve } = await import("./run-server.ts");
      await serve(options, io);
    });
}
