import { expect, it } from "vitest";
import { ByteView } from "../../../src/sample/byte-view.ts";
import { SeriesTable } from "../../../src/cloud/series-table.ts";

function setUp(limit?: number, limitBytes?: number) {
  const table = new SeriesTable(limit, limitBytes);
  let added = 0;
  return {
    idOf: (metric: number, labels: string) => {
      // As in a push, there is something on both sides.
      const view = new ByteView(Buffer.from(`<${labels}>`));
      return table.idOf(metric, view, 1, view.bytes.length - 1, () => added++);
    },
    added: () => added,
  };
}

it("knows a series by its metric and its labels", () => {
  const { idOf, added } = setUp();
  const ids = [idOf(0, "url=a"), idOf(8, "url=a"), idOf(0, "url=b"), idOf(0, "")];
  expect(ids).toEqual([0, 1, 2, 3]);
  expect([idOf(0, "url=a"), idOf(8, "url=a"), idOf(0, "url=b"), idOf(0, "")]).toEqual(ids);
  expect(added()).toBe(4);
});

it.each([
  { what: "so many series", limits: [10] as const, value: (n: number) => `${n}` },
  {
    what: "labels of so many bytes",
    limits: [Infinity, 10_000] as const,
    value: (n: number) => `${n}`.padEnd(1_000, "x"),
  },
])("starts over at $what, and goes on", ({ limits, value }) => {
  const { idOf, added } = setUp(...limits);
  for (let n = 0; n < 9; n++) idOf(0, value(n));
  expect(idOf(0, value(0))).toBe(0);
  for (let n = 9; n < 15; n++) idOf(0, value(n));
  expect(added()).toBe(15);
  expect(idOf(0, value(0))).toBe(15);
  expect(idOf(0, value(14))).toBe(14);
});
