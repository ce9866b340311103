import { expect, it } from "vitest";
import { ByteView } from "../../../src/sample/byte-view.ts";
import { SpellingTable } from "../../../src/sample/spelling-table.ts";

function add(table: SpellingTable, head: string, tags: string, seriesId: number): void {
  table.add(
    new ByteView(Buffer.from(head + tags)),
    0,
    head.length,
    head.length,
    head.length + tags.length,
    seriesId,
    seriesId - 1,
  );
}

function find(table: SpellingTable, head: string, tags: string): number | undefined {
  const view = new ByteView(Buffer.from(head + tags));
  const spelling = table.find(view, 0, head.length, head.length, head.length + tags.length);
  return spelling < 0 ? undefined : table.seriesId(spelling);
}

it("finds each of many spellings, and nothing else", () => {
  const table = new SpellingTable();
  for (let id = 0; id < 5_000; id++) add(table, `head-${id % 7}`, `,"tags":{"url":"${id}"}`, id);
  for (let id = 0; id < 5_000; id++) {
    expect(find(table, `head-${id % 7}`, `,"tags":{"url":"${id}"}`)).toBe(id);
  }
  expect(find(table, "head-0", ',"tags":{"url":"5000"}')).toBeUndefined();
  // The same bytes, divided elsewhere.
  add(table, "ab", "c", 1);
  expect(find(table, "a", "bc")).toBeUndefined();
});

it.each([
  ["spellings", new SpellingTable(100, 1 << 20)],
  ["bytes", new SpellingTable(1 << 20, 2_000)],
])("starts over when it has reached its limit of %s, and stays right", (_, table) => {
  for (let id = 0; id < 1_000; id++) {
    add(table, "head", `,"tags":{"url":"${id}"}`, id);
    expect(find(table, "head", `,"tags":{"url":"${id}"}`)).toBe(id);
    expect(table.size).toBeLessThanOrEqual(100);
  }
});
