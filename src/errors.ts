/**
 * The errors that a caller of Plimsoll can meet, one class for each thing a caller does differently.
 *
 * Each code has a row in docs/errors.md; a test compares the two. Messages say what failed, the value,
 * what was expected and what becomes of the data; they never hold credentials or query strings.
 */

export const errorCodes = {
  USAGE: "USAGE",
  CONFIG_INVALID: "CONFIG_INVALID",
  INPUT_UNREADABLE: "INPUT_UNREADABLE",
  GENERATOR_UNAVAILABLE: "GENERATOR_UNAVAILABLE",
  RECEIVER_UNUSABLE: "RECEIVER_UNUSABLE",
  SPOOL_UNUSABLE: "SPOOL_UNUSABLE",
  STACK_UNAVAILABLE: "STACK_UNAVAILABLE",
  SERVER_UNAVAILABLE: "SERVER_UNAVAILABLE",
  DATABASE_UNUSABLE: "DATABASE_UNUSABLE",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The base of every error that Plimsoll throws on purpose; anything else is a bug. */
export abstract class PlimsollError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The command line cannot be understood, e.g. an unknown option; or a call of the library that cannot be right. */
export class UsageError extends PlimsollError {
  readonly code = "USAGE";
}

/** One thing that is wrong with one option. */
export interface ConfigProblem {
  /** The option as its source spells it, e.g. `--push-interval` or `PLIMSOLL_PUSH_INTERVAL`. */
  readonly option: string;
  /** What is wrong, with the value (never of a secret) and what was expected. */
  readonly message: string;
  /** Where the value came from: `flags`, `environment`, a file's path; `options` of the library. */
  readonly source: string;
}

/** The options cannot be used. Holds every problem, not only the first. */
export class ConfigError extends PlimsollError {
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(
      problems
        .map(({ option, message, source }) => `${option} (from ${source}): ${message}`)
        .join("\n"),
      options,
    );
    this.problems = problems;
  }
}

/** A file cannot be read or written: no such file, a directory, no permission, broken gzip, a full disk. */
export class InputError extends PlimsollError {
  readonly code = "INPUT_UNREADABLE";
}

/** What makes the load cannot be started: no k6 on PATH, a script that does not exist. */
export class GeneratorError extends PlimsollError {
  readonly code = "GENERATOR_UNAVAILABLE";
}

/** The store does not take samples: unreachable, wrong password, wrong path, an HTML answer. */
export class ReceiverError extends PlimsollError {
  readonly code = "RECEIVER_UNUSABLE";
}

/** The spool directory cannot be used: another process owns it, a newer Plimsoll has written it, no permission. */
export class SpoolError extends PlimsollError {
  readonly code = "SPOOL_UNUSABLE";
}

/** A program of the stack cannot be started: not installed, a port that is taken, a folder without permission. */
export class StackError extends PlimsollError {
  readonly code = "STACK_UNAVAILABLE";
}

/** A Plimsoll server does not answer, or refuses: no connection, a wrong token, a role that may not. */
export class ServerError extends PlimsollError {
  readonly code = "SERVER_UNAVAILABLE";
}

/** Runs cannot be kept: no permission for the folder, no Postgres, a database that a newer Plimsoll has changed. */
export class DatabaseError extends PlimsollError {
  readonly code = "DATABASE_UNUSABLE";
}

/** The code of an error of Node's own, e.g. `ENOENT` or `ECONNREFUSED`; `undefined` for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
