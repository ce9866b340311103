/**
 * The bodies of `/api/v1` as JSON Schema: what requests are held to, and what openapi.json says.
 *
 * Source: JSON Schema draft 7, as Fastify's Ajv and OpenAPI 3.0 share it: a null is `nullable`.
 */
import { roles, runSorts, sortOrders } from "../../runs/run-repository.ts";
import { runStates } from "../../runs/run-state.ts";

export const text = (description: string): Schema => ({ type: "string", description });
export const textOrNull = (description: string): Schema => ({
  ...text(description),
  nullable: true,
});
export const time = (description: string): Schema => ({
  ...text(description),
  format: "date-time",
});
export const timeOrNull = (description: string): Schema => ({
  ...time(description),
  nullable: true,
});
export const count = (description: string): Schema => ({
  type: "integer",
  minimum: 0,
  description,
});
const numberOrNull = (description: string): Schema => ({
  type: "number",
  nullable: true,
  description,
});
export const texts = (description: string): Schema => ({
  type: "object",
  additionalProperties: { type: "string" },
  description,
});

/** What Fastify takes for a schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** All properties are there. */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", required: Object.keys(properties), properties };
}

export const anything: Schema = { description: "any JSON" };

const state = { type: "string", enum: [...runStates], description: "of the state machine" };
const result = {
  type: "string",
  enum: ["passed", "failed", "error", null],
  nullable: true,
  description: "whether the thresholds passed; error: the run was aborted for another reason",
};

const common = {
  id: count("number of the run, for k6"),
  testid: text("label testid of the run's series"),
  test: text("label test: what it is a run of"),
  project: count("number of the project"),
  source: { type: "string", enum: ["run", "ingest", "cloud-v1", "cloud-v6", "api"] },
  state,
  result,
  generator: text("name and version of what makes the load"),
  startedBy: text("name of the token, or of the user"),
  note: text("what people write about it"),
  starred: { type: "boolean", description: "somebody wants to find it again" },
  tags: texts("tags of the run"),
  created: time("when it was made"),
  started: timeOrNull("of its first sample"),
  ended: timeOrNull("when it was over"),
  lastData: timeOrNull("when its newest samples came"),
  hasLateData: { type: "boolean", description: "samples came after its end" },
};

const listItem = object({
  ...common,
  thresholds: object({
    passed: count("thresholds that hold"),
    failed: count("thresholds that do not"),
    open: count("thresholds that are not judged yet"),
  }),
  headline: {
    nullable: true,
    description: "of all HTTP requests; null where the summary has none, as before the end",
    ...object({
      requests: numberOrNull("how many"),
      failedRatio: numberOrNull("share that failed, 0 to 1"),
      p95Seconds: numberOrNull("95 of 100 took no longer"),
    }),
  },
});

const run = object({
  ...common,
  history: {
    type: "array",
    items: object({
      state,
      at: time("when it was entered"),
      reason: textOrNull("why"),
      by: textOrNull("who asked for it"),
    }),
  },
  thresholds: {
    type: "array",
    items: object({
      metric: text("metric or submetric"),
      expression: text("as in the script"),
      abortOnFail: { type: "boolean" },
      value: { type: "number", nullable: true, description: "in k6's unit" },
      ok: { type: "boolean", nullable: true, description: "from what the server has got" },
      generatorOk: { type: "boolean", nullable: true, description: "what k6 said" },
    }),
  },
  summary: {
    type: "array",
    items: object({ metric: text("name"), stat: text("e.g. p95"), value: { type: "number" } }),
  },
  maxVus: { ...count("most virtual users at a time"), nullable: true },
  expectedSeconds: { type: "number", nullable: true, description: "how long it may take" },
  stores: { type: "array", items: { type: "string" }, description: "where the samples are" },
  archiveBytes: count("size of the archive; 0: there is none"),
  logLines: count("lines of its log"),
  stop: object({
    can: { type: "boolean", description: "a server can end it" },
    why: text("what happens then, or why not and what to do instead"),
  }),
  options: anything,
});

const errorBody = {
  description: "what is wrong",
  ...object({
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code: text("for programs"),
        message: text("for people"),
        details: {
          type: "array",
          items: {
            type: "object",
            required: ["code", "message"],
            properties: { code: text("kind"), message: text("words"), target: text("place") },
          },
        },
      },
    },
  }),
};

/** Every route may answer so. */
export const errors: Schema = {
  400: errorBody,
  401: errorBody,
  403: errorBody,
  404: errorBody,
  429: errorBody,
};

/** k6's names have up to 300 characters, and a testid a time and a suffix as well. */
export const maxRunParamLength = 400;

export const runParams: Schema = object({
  id: {
    type: "string",
    minLength: 1,
    maxLength: maxRunParamLength,
    description: "number or testid of the run",
  },
});

export const listQuery: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    test: text("name of the test"),
    state: {
      type: "array",
      items: { type: "string", enum: [...runStates] },
      description: "one of these states",
    },
    result: { type: "string", enum: ["passed", "failed", "error"] },
    search: text("part of the test's name, the testid or the note"),
    tag: {
      type: "array",
      items: { type: "string", pattern: "^[^=]+=", maxLength: 1_000 },
      description: "name=value; all of these",
    },
    from: time("made at or after"),
    before: time("made before"),
    starred: { type: "boolean", enum: [true], description: "only those with a star" },
    sort: { type: "string", enum: [...runSorts], default: "created" },
    order: { type: "string", enum: [...sortOrders], default: "desc" },
    limit: { type: "integer", minimum: 1, maximum: 1_000, default: 50 },
    after: text("what the page before gave as next, in the same order"),
  },
};

export const runList: Schema = {
  description: "a page",
  ...object({
    runs: { type: "array", items: listItem },
    total: count("runs that match, on all pages"),
    next: textOrNull("of the next page; null on the last"),
  }),
};

export const oneRun: Schema = { description: "the run", ...run };

export const liveQuery: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    after: {
      type: "number",
      minimum: 0,
      description: "Unix seconds: everything up to then is there already; Last-Event-ID wins",
    },
  },
};

export const runPatch: Schema = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: { note: { type: "string", maxLength: 10_000 }, starred: { type: "boolean" } },
};

export const newRun: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["test"],
  properties: {
    test: { type: "string", minLength: 1, maxLength: 200, description: "what it is a run of" },
    project: { type: "integer", minimum: 1, maximum: 2_147_483_647, default: 1 },
    note: { type: "string", maxLength: 10_000, default: "" },
    tags: {
      type: "object",
      maxProperties: 100,
      additionalProperties: { type: "string", maxLength: 1_000 },
      description: "tags of the run",
      default: {},
    },
    thresholds: {
      type: "object",
      description: "as in a script's options",
      default: {},
    },
    generator: { type: "string", maxLength: 100, default: "k6" },
    maxVus: { type: "integer", minimum: 0, maximum: 2_147_483_647 },
    expectedSeconds: { type: "number", minimum: 0, maximum: 2_147_483_647 },
  },
};

export const createdRun: Schema = {
  description: "what to give to the generators; the token is shown here and nowhere else",
  ...object({
    run,
    token: text("pushes to this run, reads and ends it"),
    environment: texts("variables that make k6 push to this run"),
  }),
};

/** A person's choice of how a run ended, whose generator does not say. */
export const reportedEnds = [
  "finished",
  "aborted_by_user",
  "aborted_by_threshold",
  "aborted_by_script_error",
  "aborted_by_system",
  "aborted_by_limit",
] as const;

export const endOfRun: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    state: { type: "string", enum: [...reportedEnds], default: "finished" },
    reason: { type: "string", maxLength: 1_000 },
  },
};

export const stopping: Schema = {
  description: "the generator is told with the answer to its next push",
  ...object({ outcome: { type: "string", enum: ["stopping"] } }),
};

export const exportedRun: Schema = {
  description: "the record with its thresholds, summary and log",
  ...object({ run, log: { type: "array", items: anything } }),
};

const token = object({
  id: count("number of the token"),
  name: text("who it is for"),
  role: { type: "string", enum: [...roles] },
  created: time("when it was made"),
  revoked: timeOrNull("since when it is none"),
});

export const tokenList: Schema = {
  description: "all tokens, without their texts",
  ...object({ tokens: { type: "array", items: token } }),
};

export const newToken: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "role"],
  properties: {
    name: { type: "string", minLength: 1, maxLength: 100, description: "who it is for" },
    role: { type: "string", enum: [...roles] },
  },
};

export const createdToken: Schema = {
  description: "the token's text is shown here and nowhere else",
  ...object({ token: text("to be kept secret"), record: token }),
};

export const tokenParams: Schema = object({
  id: { type: "integer", minimum: 1, maximum: 2_147_483_647 },
});
