import { assert, property, string } from "fast-check";
import { expect, it } from "vitest";
import { visibleParts, visibleText } from "../../../src/web/format/visible-text.ts";

const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

it("leaves text of any language as it is, line ends and tabs included", () => {
  for (const text of ["", "checkout", "Überprüfung 检查 🚢", "عملية الشراء", "a\tb\nc"]) {
    expect(visibleParts(text)).toEqual([{ text, isMark: false }]);
  }
});

it("names what turns, hides or ends the text around it", () => {
  expect(visibleText("a\u202egnp.exe")).toBe("a[U+202E]gnp.exe");
  expect(visibleText("\u001b[31mred\u0007")).toBe("␛[31mred␇");
  expect(visibleText("x\u200by\u2066z\ud800")).toBe("x[U+200B]y[U+2066]z[U+D800]");
  expect(visibleParts("a\u0000\u0001b")).toEqual([
    { text: "a", isMark: false },
    { text: "␀␁", isMark: true },
    { text: "b", isMark: false },
  ]);
});

it("leaves no control and no mark of direction, whatever the text", () => {
  assert(
    property(string({ unit: "binary" }), (text) => {
      for (const character of visibleText(text)) {
        // Joiners within emoji and words, and what languages need besides, stay.
        if (/[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u180e\t\n]/.test(character)) continue;
        if ((character.codePointAt(0) ?? 0) > 0xffff) continue;
        expect(character).not.toMatch(hidden);
      }
    }),
  );
});

it("keeps everything else in its place", () => {
  assert(
    property(string({ unit: "binary" }), (text) => {
      const kept = visibleParts(text).filter(({ isMark }) => !isMark);
      let rest = text;
      for (const { text: part } of kept) {
        const at = rest.indexOf(part);
        expect(at).toBeGreaterThanOrEqual(0);
        rest = rest.slice(at + part.length);
      }
    }),
  );
});

it("takes a megabyte of nothing but controls in one part", () => {
  expect(visibleParts("\u202e".repeat(1 << 20))).toHaveLength(1);
});
