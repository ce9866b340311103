import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { runStates, type RunState } from "../../../src/runs/run-state.ts";
import { canEnter, isOver, resultOf } from "../../../src/runs/transitions.ts";

const state = constantFrom(...runStates);
const going = ["created", "initializing", "running"];

describe("canEnter", () => {
  it.each<[RunState, RunState]>([
    ["created", "initializing"],
    ["initializing", "running"],
    ["created", "running"],
    ["running", "finished"],
    ["running", "timed_out"],
    ["created", "timed_out"],
    ["initializing", "aborted_by_script_error"],
  ])("lets a run go from %s to %s", (from, to) => {
    expect(canEnter(from, to)).toBe(true);
  });

  it.each<[RunState, RunState]>([
    ["running", "initializing"],
    ["running", "created"],
    ["running", "running"],
    ["timed_out", "running"],
    ["timed_out", "finished"],
    ["finished", "aborted_by_user"],
  ])("keeps a run from going from %s to %s", (from, to) => {
    expect(canEnter(from, to)).toBe(false);
  });

  it("leads, whatever is asked for, through the states in their order to one end at most", () => {
    assert(
      property(array(state), (asked) => {
        const entered: RunState[] = ["created"];
        let now: RunState = "created";
        for (const next of asked) {
          if (!canEnter(now, next)) continue;
          now = next;
          entered.push(next);
        }
        const ranks = entered.map((name) => (isOver(name) ? going.length : going.indexOf(name)));
        expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
        // Who asked for an end got one, and the first one that was asked for.
        const end = asked.find(isOver);
        expect(entered.find(isOver)).toBe(end);
        expect(isOver(now)).toBe(end !== undefined);
      }),
    );
  });
});

describe("resultOf", () => {
  const passed = { ok: true, generatorOk: undefined };
  const failed = { ok: false, generatorOk: undefined };
  const unjudged = { ok: undefined, generatorOk: undefined };

  it("says nothing before the end", () => {
    for (const name of runStates.filter((name) => !isOver(name))) {
      expect(resultOf(name, [failed])).toBeUndefined();
    }
  });

  it("is about the thresholds of a run that finished", () => {
    expect(resultOf("finished", [])).toBe("passed");
    expect(resultOf("finished", [passed, unjudged])).toBe("passed");
    expect(resultOf("finished", [passed, failed])).toBe("failed");
  });

  it("believes k6's own verdict more than ours", () => {
    expect(resultOf("finished", [{ ok: false, generatorOk: true }])).toBe("passed");
    expect(resultOf("finished", [{ ok: true, generatorOk: false }])).toBe("failed");
  });

  it("is failed for a run that a threshold ended, and an error for every other end", () => {
    expect(resultOf("aborted_by_threshold", [])).toBe("failed");
    const others = runStates.filter((name) => isOver(name) && name !== "finished");
    expect(others).toHaveLength(6);
    for (const name of others.filter((name) => name !== "aborted_by_threshold")) {
      expect(resultOf(name, [passed])).toBe("error");
    }
  });
});
