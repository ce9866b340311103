import { array, assert, constantFrom, oneof, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  labelNameLimitBytes,
  labelValueLimitBytes,
  noLabelChanges,
  toLabelName,
  toLabels,
} from "../../../src/encode/labels.ts";

const fixed = [{ name: "__name__", value: "k6_vus" }];
const text = oneof(string(), string({ unit: "binary" }), constantFrom("\ud800", "a\udc00b", "😀"));
const tagName = oneof(text, constantFrom("__name__", "a.b", "a_b", "a-b", "0", "é", "le", "Zone"));

describe("toLabels", () => {
  it("returns sorted, unique, valid labels and keeps the metric's name, whatever the tags", () => {
    assert(
      property(array(tuple(tagName, text)), (tags) => {
        const labels = toLabels(fixed, new Map(tags));
        const names = labels.map(({ name }) => name);
        expect(names).toEqual([...new Set(names)].toSorted());
        for (const { name, value } of labels) {
          expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
          expect(name.length).toBeLessThanOrEqual(labelNameLimitBytes);
          expect(value).not.toBe("");
          // What UTF-8 cannot hold would come back as something else.
          expect(Buffer.from(value).toString()).toBe(value);
          expect(Buffer.byteLength(value)).toBeLessThanOrEqual(labelValueLimitBytes);
        }
        expect(labels).toContainEqual(fixed[0]);
        expect(names.filter((name) => name.startsWith("__"))).toEqual(["__name__"]);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the same labels for the same tags in any order", () => {
    const tags = [
      ["a.b", "1"],
      ["a_b", "2"],
      ["a-b", "3"],
    ] as const;
    const changes = noLabelChanges();
    const labels = toLabels(fixed, new Map(tags), changes);
    // The tag that is a label's name as it stands.
    expect(labels).toContainEqual({ name: "a_b", value: "2" });
    expect(changes).toEqual({ collisions: 2, truncated: 0, excess: 0 });
    expect(toLabels(fixed, new Map(tags.toReversed()))).toEqual(labels);
  });

  it.each([
    ["method", "method"],
    ["my-tag", "my_tag"],
    ["http.route", "http_route"],
    ["1st", "_1st"],
    ["é", "_"],
    ["😀x", "_x"],
    ["__name__", "tag__name__"],
    ["a b\nc", "a_b_c"],
  ])("names the label of tag %j %s", (tag, name) => {
    expect(toLabelName(tag)).toBe(name);
  });

  it("cuts values at their limit between characters, and counts it", () => {
    const changes = noLabelChanges();
    const tags = new Map([
      ["ascii", "x".repeat(10_000)],
      ["wide", `x${"é".repeat(5_000)}`],
      ["fits", "x".repeat(labelValueLimitBytes)],
    ]);
    const values = new Map(toLabels([], tags, changes).map(({ name, value }) => [name, value]));
    expect(values.get("ascii")).toBe("x".repeat(2_048));
    expect(values.get("wide")).toBe(`x${"é".repeat(1_023)}`);
    expect(values.get("fits")).toHaveLength(2_048);
    expect(changes.truncated).toBe(2);
  });
});
