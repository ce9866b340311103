import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { k6Flags, parseK6Arguments } from "../../../src/generate/k6-flags.ts";

describe("parseK6Arguments", () => {
  it.each([
    { given: ["--vus", "5"], flags: [["vus", "5"]] },
    { given: ["--vus=5"], flags: [["vus", "5"]] },
    { given: ["-u", "5"], flags: [["vus", "5"]] },
    { given: ["-u5"], flags: [["vus", "5"]] },
    { given: ["-u=5"], flags: [["vus", "5"]] },
    { given: ["--env", "A=B"], flags: [["env", "A=B"]] },
    { given: ["--env=A=B"], flags: [["env", "A=B"]] },
    { given: ["--tag", "--odd"], flags: [["tag", "--odd"]] },
    { given: ["-e", "-"], flags: [["env", "-"]] },
    { given: ["--http-debug", "s.js"], flags: [["http-debug"], [undefined, "s.js"]] },
    { given: ["--http-debug=full"], flags: [["http-debug", "full"]] },
    { given: ["--linger=false"], flags: [["linger", "false"]] },
    { given: ["-q=false"], flags: [["quiet", "false"]] },
    { given: ["-qvu", "5"], flags: [["quiet"], ["verbose"], ["vus", "5"]] },
    { given: ["-qi10", "-"], flags: [["quiet"], ["iterations", "10"], [undefined, "-"]] },
    { given: ["-q", "--", "-v"], flags: [["quiet"], [undefined, "-v"]] },
    { given: ["--vus"], flags: [["vus"]] },
    { given: ["--new", "s.js"], flags: [["new"], [undefined, "s.js"]] },
    { given: ["-Z"], flags: [["Z"]] },
  ])("reads $given as k6 does", ({ given, flags }) => {
    const read = parseK6Arguments(given).map(({ name, value }) => [name, value]);
    expect(read).toEqual(flags.map(([name, value]) => [name, value]));
  });

  it("hands on every argument unchanged and in order, whatever they are", () => {
    const argument = oneof(string(), constantFrom("-u", "--out", "-qv", "--tag=a=b", "-", "s.js"));
    assert(
      property(array(argument), (args) => {
        const withoutEnd = args.filter((value) => value !== "--");
        expect(parseK6Arguments(withoutEnd).flatMap(({ raw }) => raw)).toEqual(withoutEnd);
      }),
    );
  });

  it("has each name and each letter once", () => {
    const names = k6Flags.flatMap(({ name, short }) => (short ? [name, short] : [name]));
    expect(names.length).toBeGreaterThan(50);
    expect(new Set(names).size).toBe(names.length);
  });
});
