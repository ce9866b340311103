/**
 * The kinds of values that options have: each parses what a source has and formats what was parsed.
 * Those with several items are in list-kinds.ts.
 *
 * A parser throws UsageError with a message that holds the value and what was expected; never a secret.
 * Secrets as a whole are known to the table; the kinds only know that a URL may hold one.
 */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { formatBytes, parseBytes } from "./byte-size.ts";
import { formatDuration, parseDurationMs } from "./duration.ts";
import type { ListenAddress } from "./options.ts";
import { redactUrl } from "./redact-url.ts";
import type { RawValue } from "./yaml.ts";

/** Where a value stands, for what is relative to that place. */
export interface ValueOrigin {
  /** `flags`, `environment` or the path of a file, as in ConfigProblem. */
  readonly source: string;
  /** Relative paths start here: the file's directory, or the working directory. */
  readonly directory: string;
}

export interface OptionKind<Value> {
  /** What stands for the value in help and docs; a boolean's flag takes none. */
  readonly placeholder: string;
  /** Whether the flag may be given several times; its raw value is then a list. */
  readonly repeatable: boolean;
  /** @throws UsageError */
  parse(raw: RawValue, origin: ValueOrigin): Value;
  format(value: Value): string;
  /** The value without credentials in it. */
  redact(value: Value): Value;
}

/** For kinds whose values hold no credentials. */
export function unchanged<Value>(value: Value): Value {
  return value;
}

/** A kind whose raw value is one text. */
function scalar<Value>(
  placeholder: string,
  parse: (text: string, origin: ValueOrigin) => Value,
  format: (value: Value) => string,
): OptionKind<Value> {
  return {
    placeholder,
    repeatable: false,
    parse: (raw, origin) => {
      if (typeof raw !== "string") throw new UsageError("expected one value, got a list or a map");
      return parse(raw, origin);
    },
    format,
    redact: unchanged,
  };
}

/** The kind of an option that may be absent. */
export function optional<Value>(kind: OptionKind<Value>): OptionKind<Value | undefined> {
  return {
    ...kind,
    format: (value) => (value === undefined ? "-" : kind.format(value)),
    redact: (value) => (value === undefined ? undefined : kind.redact(value)),
  };
}

export function text(placeholder: string): OptionKind<string> {
  return scalar(placeholder, expectNotEmpty, String);
}

/** @throws UsageError */
export function expectNotEmpty(value: string): string {
  if (value === "") throw new UsageError("is empty: expected a text");
  return value;
}

/** A file or a directory, made absolute. */
export function path(placeholder: string): OptionKind<string> {
  return scalar(
    placeholder,
    (value, { directory }) => resolve(directory, expectNotEmpty(value)),
    String,
  );
}

/** @param what Completes "is not a URL …". */
export function httpUrl(what: string, example: string): OptionKind<string> {
  return {
    ...scalar(
      "url",
      (value) => {
        if (!URL.canParse(value) || !/^https?:\/\//i.test(value)) {
          throw new UsageError(
            `${JSON.stringify(redactUrl(value))} is not a URL ${what}: ` +
              `expected one such as "${example}"`,
          );
        }
        return value;
      },
      String,
    ),
    redact: redactUrl,
  };
}

/** Of a Postgres. Never shown: it holds a password as a rule. */
export const databaseUrl: OptionKind<string> = scalar(
  "url",
  (value) => {
    if (!URL.canParse(value) || !/^postgres(?:ql)?:\/\//i.test(value)) {
      throw new UsageError(
        'is not the URL of a Postgres: expected one such as "postgres://user@db.example/plimsoll"',
      );
    }
    return value;
  },
  String,
);

/** One word of HTTP. Source: RFC 9110, section 5.6.2. */
export function token(placeholder: string): OptionKind<string> {
  return scalar(
    placeholder,
    (value) => {
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(value)) {
        // Not shown: a secret may have got here.
        throw new UsageError("is not one word of letters and digits");
      }
      return value;
    },
    String,
  );
}

/** Source of the spellings: Go, `strconv.ParseBool`, which k6 uses for its variables. */
export const boolean: OptionKind<boolean> = scalar("true|false", parseBoolean, String);

/** @throws UsageError */
export function parseBoolean(value: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  throw new UsageError(`${JSON.stringify(value)} is not a boolean: expected "true" or "false"`);
}

export function oneOf<const Value extends string>(...values: readonly Value[]): OptionKind<Value> {
  return scalar(
    values.join("|"),
    (value) => {
      const known = values.find((candidate) => candidate === value);
      if (known === undefined) {
        throw new UsageError(`${JSON.stringify(value)} is not one of ${values.join(", ")}`);
      }
      return known;
    },
    String,
  );
}

/** Whole milliseconds between the limits, both included. */
export function duration(minMs: number, maxMs: number): OptionKind<number> {
  return scalar(
    "duration",
    (value) => {
      const durationMs = parseDurationMs(value);
      if (!Number.isInteger(durationMs)) {
        throw new UsageError(`${JSON.stringify(value)} is not a whole number of milliseconds`);
      }
      return expectWithin(value, durationMs, minMs, maxMs, formatDuration);
    },
    formatDuration,
  );
}

export function byteSize(minBytes: number): OptionKind<number> {
  return scalar(
    "size",
    (value) =>
      expectWithin(value, parseBytes(value), minBytes, Number.MAX_SAFE_INTEGER, formatBytes),
    formatBytes,
  );
}

export function wholeNumber(min: number, max: number): OptionKind<number> {
  return scalar(
    "number",
    (value) => {
      if (!/^\d+$/.test(value)) {
        throw new UsageError(`${JSON.stringify(value)} is not a whole number`);
      }
      return expectWithin(value, Number(value), min, max, String);
    },
    String,
  );
}

function expectWithin(
  text: string,
  value: number,
  min: number,
  max: number,
  format: (value: number) => string,
): number {
  if (value < min) throw new UsageError(`${JSON.stringify(text)} is less than ${format(min)}`);
  if (value > max) throw new UsageError(`${JSON.stringify(text)} is more than ${format(max)}`);
  return value;
}

/** `host:port`, `[::1]:9464`, `:9464` (every interface). */
export const listenAddress: OptionKind<ListenAddress> = scalar(
  "host:port",
  (value) => {
    const [, bracketed, plain = "", portText] =
      /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(value) ?? [];
    const port = Number(portText);
    if (portText === undefined || port > 65_535) {
      throw new UsageError(
        `${JSON.stringify(value)} is not an address: expected one such as "localhost:9464"`,
      );
    }
    return { host: bracketed ?? (plain === "" ? "::" : plain), port };
  },
  ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`),
);
