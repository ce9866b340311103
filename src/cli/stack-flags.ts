/**
 * What `up`, `down` and `status` have in common: the folder, the words of the table.
 */
import { join } from "node:path";
import type { Command } from "commander";
import type { ServiceStatus, StackStatus } from "../stack/status.ts";
import type { CommandIo } from "./command-io.ts";
import { formatBytes, formatTable } from "./format.ts";
import { addOptionFlag, resolveCommandOptions } from "./option-flags.ts";

export interface StackIo extends CommandIo {
  readonly setExitCode: (code: number) => void;
}

/** `--data-dir`, which every command has, and the file that may name it. */
export function addStackFlags(command: Command): Command {
  return addOptionFlag(command, "dataDir");
}

/** Absolute. */
export function stackFolder(command: Command, io: CommandIo): string {
  return join(resolveCommandOptions(command, io).values.dataDir, "stack");
}

export function toStatusTable({ services }: StackStatus): string {
  return formatTable([
    ["SERVICE", "STATE", "ADDRESS", "VERSION", "PID", "SCRAPED", "DATA", "NOTE"],
    ...services.map(toRow),
  ]);
}

function toRow(service: ServiceStatus): string[] {
  const { name, state, address = "", version = "", pid = "", target = "", note = "" } = service;
  const data = service.dataBytes === undefined ? "" : formatBytes(service.dataBytes);
  return [name, state, address, version, String(pid), target, data, note];
}
