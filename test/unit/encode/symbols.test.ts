import { expect, it } from "vitest";
import { Symbols } from "../../../src/encode/symbols.ts";

it("gives a label's name and value the same places whenever it is asked, however many labels there are", () => {
  const symbols = new Symbols();
  for (let n = 0; n < 1_000; n++) {
    const label = { name: `name${n}`, value: `value${n}` };
    const first = [symbols.placeOfName(label), symbols.placeOfValue(label)];
    expect(first, `label ${n}`).toEqual([1 + 2 * n, 2 + 2 * n]);
    expect([symbols.placeOfName(label), symbols.placeOfValue(label)]).toEqual(first);
  }
});
