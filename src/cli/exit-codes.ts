/**
 * What `plimsoll` exits with, beside k6's own codes (97 to 110, 255, 128 and the signal that ended it), which `plimsoll run` hands on.
 * docs/cli.md has the table.
 */
import type { ErrorCode } from "../errors.ts";

export const exitCodes = {
  ok: 0,
  /** A bug in Plimsoll. */
  internal: 1,
  /** The command line or the options cannot be used. */
  usage: 2,
  /** The load ran, but not every sample is in the store: some are dropped, rejected or still spooled. */
  incomplete: 3,
  /** Input, generator, receiver, spool, stack, server or database cannot be used; nothing was started, or reading broke off. */
  unavailable: 4,
  /** Left before the end, by Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const;

/** What an error that ends the command exits with; docs/errors.md has the table. */
export const exitCodeByError: Readonly<Record<ErrorCode, number>> = {
  USAGE: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  INPUT_UNREADABLE: exitCodes.unavailable,
  GENERATOR_UNAVAILABLE: exitCodes.unavailable,
  RECEIVER_UNUSABLE: exitCodes.unavailable,
  SPOOL_UNUSABLE: exitCodes.unavailable,
  STACK_UNAVAILABLE: exitCodes.unavailable,
  SERVER_UNAVAILABLE: exitCodes.unavailable,
  DATABASE_UNUSABLE: exitCodes.unavailable,
};
