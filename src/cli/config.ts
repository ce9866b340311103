/**
 * `plimsoll config`: the resolved options, each with its source, secrets masked.
 *
 * Takes every flag of the option table, so that the line of another command shows what that would do.
 */
import { Command } from "commander";
import { optionRows } from "../config/option-table.ts";
import type { ResolvedOptions } from "../config/resolve-options.ts";
import { toShownText, toShownValue } from "../config/show-option.ts";
import type { CommandIo } from "./command-io.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";

export function configCommand(io: CommandIo): Command {
  const command = new Command("config")
    .description("show the resolved options, each with its source")
    .option("--json", "print one JSON object, durations in milliseconds and sizes in bytes");
  addOptionFlags(command, "run", "prometheus-rw", "serve", "client");
  return command.action(({ json = false }: { json?: boolean }) => {
    const resolved = resolveCommandOptions(command, io);
    io.stdout.write(json ? toJson(resolved) : toTable(resolved));
  });
}

function toTable({ values, sources }: ResolvedOptions): string {
  const cells = [
    ["OPTION", "VALUE", "SOURCE"],
    ...optionRows.map((row) => [
      row.key,
      toShownText(row, values[row.name]),
      sources[row.name].name,
    ]),
  ];
  const widths = [0, 1].map((column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  return cells
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function toJson({ values, sources }: ResolvedOptions): string {
  const shown = optionRows.map((row) => {
    const value = toShownValue(row, values[row.name]);
    return [
      row.name,
      {
        value: value instanceof Map ? Object.fromEntries(value) : (value ?? null),
        source: sources[row.name].name,
      },
    ];
  });
  return `${JSON.stringify(Object.fromEntries(shown), null, 2)}\n`;
}
