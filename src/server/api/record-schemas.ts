/**
 * The bodies of what is read of runs beside their records, as JSON Schema: what to filter by, log lines, the script.
 */
import { anything, count, object, type Schema, text, textOrNull, texts, time } from "./schemas.ts";

export const testList: Schema = {
  description: "tests that have runs, the one with the newest run first; at most 1 000",
  ...object({
    tests: {
      type: "array",
      items: object({
        name: text("as the filter takes it"),
        runs: count("how many it has"),
        lastRun: time("when the newest was made"),
      }),
    },
  }),
};

export const tagList: Schema = {
  description: "tags of the newest 5 000 runs: at most 100 names",
  ...object({
    tags: {
      type: "array",
      items: object({
        name: text("name"),
        values: {
          type: "array",
          items: { type: "string" },
          description: "at most 50, the latest first",
        },
      }),
    },
  }),
};

export const logQuery: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    from: {
      type: "integer",
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description: "behind this: what the page before gave as next",
    },
    tail: {
      type: "boolean",
      default: false,
      description: "the last lines behind from, instead of the first",
    },
    search: { ...text("part of the message or of a label's value"), default: "" },
    level: text("e.g. warning"),
    limit: { type: "integer", minimum: 1, maximum: 2_000, default: 500 },
  },
};

export const logPage: Schema = {
  description: "lines that match; where few do, a page may end early",
  ...object({
    lines: {
      type: "array",
      items: object({
        timeNs: text("Unix nanoseconds"),
        level: text("as the generator says"),
        message: text("its text"),
        labels: texts("what else the generator says"),
      }),
    },
    next: count("from for the lines behind these"),
    isEnd: { type: "boolean", description: "there is nothing behind them yet" },
  }),
};

export const script: Schema = {
  description: "what its archive has",
  ...object({
    files: {
      type: "array",
      items: object({ path: text("as the script has it"), bytes: count("size") }),
      description: "without data that is no text; the main script first",
    },
    main: textOrNull("the one that k6 was started with"),
    options: anything,
    environment: texts("variables of --env, without their values"),
  }),
};

export const scriptFileQuery: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["path"],
  properties: { path: { type: "string", maxLength: 4_096, description: "one of its files" } },
};
