/** docs/errors.md has a row for each code of src/errors.ts. */
import { expect, it } from "vitest";
import { exitCodeByError, exitCodes } from "../../src/cli/exit-codes.ts";
import {
  ConfigError,
  DatabaseError,
  errorCodes,
  GeneratorError,
  InputError,
  PlimsollError,
  ReceiverError,
  ServerError,
  SpoolError,
  StackError,
  UsageError,
} from "../../src/errors.ts";
import { readTable, uncode } from "../support/markdown.ts";

const cause = new Error("why");
const errors = [
  new UsageError("a message", { cause }),
  new ConfigError([{ option: "--x", message: "a message", source: "flags" }], { cause }),
  new InputError("a message", { cause }),
  new GeneratorError("a message", { cause }),
  new ReceiverError("a message", { cause }),
  new SpoolError("a message", { cause }),
  new StackError("a message", { cause }),
  new ServerError("a message", { cause }),
  new DatabaseError("a message", { cause }),
];

it("documents every error: its code, class and exit code", async () => {
  const rows = await readTable("errors.md", "# Errors");
  expect(rows).toHaveLength(9);
  expect(rows.map(([code, name, exitCode]) => [uncode(code), uncode(name), exitCode])).toEqual(
    errors.map(({ code, name }) => [code, name, String(exitCodeByError[code])]),
  );
});

it("has a class for every code, which keeps its cause", () => {
  expect(errors.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  for (const error of errors) {
    expect(error).toBeInstanceOf(PlimsollError);
    expect(error.name).toBe(error.constructor.name);
    expect(error.message).toContain("a message");
    expect(error.cause).toBe(cause);
  }
});

it("documents every exit code", async () => {
  const rows = await readTable("cli.md", "## Exit codes");
  const documented = rows.map(([code]) => Number(code));
  expect(documented).toEqual(Object.values(exitCodes));
  expect(documented).toHaveLength(6);
});
