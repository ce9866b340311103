import { expect, it } from "vitest";
import { spoolFolder } from "../../../src/output/spool-folder.ts";

const url = "http://localhost:9090/api/v1/write";

it.each(["..", ".", "a/../../b", "x".repeat(1_000), "é😀", "checkout-20261122T051500-7f3a"])(
  "names a folder inside the spool for testid %j",
  (testid) => {
    const [, name = "", ...rest] = spoolFolder("/spool", testid, url).slice(1).split("/");
    expect(rest).toEqual([]);
    expect(name).toMatch(/^[\w.-]+-[0-9a-f]{12}$/);
    expect(name.length).toBeLessThan(200);
  },
);

it("gives each run and each receiver a folder of its own", () => {
  const folders = [
    spoolFolder("/spool", "a b", url),
    spoolFolder("/spool", "a-b", url),
    spoolFolder("/spool", "a-b", `${url}2`),
  ];
  expect(new Set(folders).size).toBe(3);
  expect(spoolFolder("/spool", "a-b", url)).toBe(folders[1]);
});
