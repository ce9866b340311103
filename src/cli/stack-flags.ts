/**
 * What `up`, `down` and `status` have in common: the folder, the words of the table.
 */
import { join } from "node:path";
import { execPath, versions } from "node:process";
import type { Command } from "commander";
import type { StackOptions } from "../stack/stack.ts";
import type { ServiceStatus, StackStatus } from "../stack/status.ts";
import type { CommandIo } from "./command-io.ts";
import { formatBytes, formatTable } from "./format.ts";
import { addOptionFlag, resolveCommandOptions } from "./option-flags.ts";

export interface StackIo extends CommandIo {
  readonly setExitCode: (code: number) => void;
}

/** `--data-dir`, and the file that may name it. */
export function addStackFlags(command: Command): Command {
  return addOptionFlag(command, "dataDir");
}

/** Where the stack of this command line is, and what of the process it needs to know. */
export function stackOptions(command: Command, io: CommandIo): Omit<StackOptions, "signal"> {
  return {
    folder: join(resolveCommandOptions(command, io).values.dataDir, "stack"),
    machine: { environment: io.env, node: { path: execPath, version: versions.node } },
    log: (text) => void io.stderr.write(`plimsoll: ${text}\n`),
  };
}

export function toStatusTable({ services }: StackStatus): string {
  return formatTable([
    ["SERVICE", "STATE", "ADDRESS", "VERSION", "PID", "SCRAPED", "DATA", "NOTE"],
    ...services.map(toRow),
  ]);
}

/** @param status undefined where nothing is up */
export function toStatusJson(folder: string, status: StackStatus | undefined): string {
  const nothing = { mode: null, isHealthy: false, services: [] };
  return `${JSON.stringify({ folder, ...(status ?? nothing) }, null, 2)}\n`;
}

function toRow(service: ServiceStatus): string[] {
  const { name, state, address = "", version = "", pid = "", target = "", note = "" } = service;
  const data = service.dataBytes === undefined ? "" : formatBytes(service.dataBytes);
  return [name, state, address, version, String(pid), target, data, note];
}
