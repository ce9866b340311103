import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunLogs } from "../../../../src/server/live/run-logs.ts";
import { runFileName } from "../../../../src/server/run-files.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const run = { id: 1, testid: "checkout-1" };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "plimsoll-logs-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (message: string) => ({
  timeNs: 1_795_000_000_123_456_789n,
  level: "info",
  message,
  labels: { source: "console" },
});
const messages = (): string[] =>
  readFileSync(join(directory, `${runFileName(run)}.jsonl`), "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text).message);

describe("RunLogs", () => {
  it("keeps lines in the order in which they came, nanoseconds and all", async () => {
    const logs = new RunLogs({ directory, clock: new FakeClock() });
    const counts = await Promise.all([
      logs.append(run, [line("a"), line("b")]),
      logs.append(run, [line("c")]),
    ]);
    expect(Math.max(...counts)).toBe(3);
    expect(messages()).toEqual(["a", "b", "c"]);
    const [first = ""] = readFileSync(join(directory, `${runFileName(run)}.jsonl`), "utf8").split(
      "\n",
    );
    expect(first).toBe(
      '{"timeNs":"1795000000123456789","level":"info","message":"a","labels":{"source":"console"}}',
    );
  });

  it.each([
    { what: "lines", limits: { limitLines: 2 } },
    { what: "bytes", limits: { limitBytes: 200 } },
  ])(
    "stops at its limit of $what, across processes, and says how much is missing",
    async ({ limits }) => {
      const options = { directory, clock: new FakeClock(), ...limits };
      await new RunLogs(options).append(run, [line("a")]);
      const logs = new RunLogs(options);
      expect(await logs.append(run, [line("b"), line("c"), line("d")])).toBe(2);
      await logs.finish(run);
      expect(messages()).toEqual([
        "a",
        "b",
        "the log's limit is reached here",
        "2 lines beyond the log's limit are not kept",
      ]);
    },
  );

  it("ends a line that a crash has left unended", async () => {
    const options = { directory, clock: new FakeClock() };
    await new RunLogs(options).append(run, [line("a")]);
    appendFileSync(join(directory, `${runFileName(run)}.jsonl`), '{"timeNs":"1');
    await new RunLogs(options).append(run, [line("b")]);
    const lines = readFileSync(join(directory, `${runFileName(run)}.jsonl`), "utf8").split("\n");
    expect(lines.map((text) => text.slice(0, 12))).toEqual([
      '{"timeNs":"1',
      '{"timeNs":"1',
      '{"timeNs":"1',
      "",
    ]);
  });
});
