import { expect, it } from "vitest";
import { checkCurrent } from "../../../../src/dashboards/check/current.ts";
import { dashboard } from "../../../../src/dashboards/dashboard.ts";

const make = () =>
  dashboard({ name: "a", title: "A", description: "A.", variables: [], sections: [] });
const text = `${JSON.stringify(make(), null, 2)}\n`;

it("finds nothing in a file that is what its module makes", () => {
  expect(checkCurrent(new Map([["a", text]]), { a: make })).toEqual([]);
});

it.each([
  {
    what: "edited by hand",
    files: [["a", text.replace('"A."', '"B."')]],
    place: "a",
    says: "not what",
  },
  { what: "missing", files: [], place: "a", says: "not what" },
  {
    what: "left over",
    files: [
      ["a", text],
      ["b", text],
    ],
    place: "b",
    says: "no module",
  },
] as const)("finds a file that is $what", ({ files, place, says }) => {
  const findings = checkCurrent(new Map(files), { a: make });
  expect(findings).toEqual([{ place, message: expect.stringContaining(says) }]);
  expect(findings[0]?.message).toContain('run "npm run dashboards"');
});
