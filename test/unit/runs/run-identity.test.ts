import { describe, expect, it } from "vitest";
import { testNameFromK6, testNameOf } from "../../../src/runs/run-identity.ts";

describe("the name of a test", () => {
  it.each(["script.js", "checkout.ts", "archive.tar", "v2.checkout.js", ".js"])(
    "is the same for %s, whether Plimsoll runs it or k6 names it to its cloud",
    (file) => {
      // k6 gives its cloud the file's name without the folder.
      expect(testNameFromK6(file)).toBe(testNameOf(`tests/${file}`));
      expect(testNameFromK6(file)).not.toBe(file);
    },
  );

  it.each(["checkout", "Checkout, 50 VUs", "shop/v2", "https://shop.test/cart", "release 1.2"])(
    "is %j where somebody has chosen that",
    (name) => {
      expect(testNameFromK6(name)).toBe(name);
    },
  );
});
