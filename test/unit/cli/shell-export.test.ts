import { execFileSync } from "node:child_process";
import { assert, constantFrom, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { guessShell, type Shell, toExports } from "../../../src/cli/shell-export.ts";

/** What shells stumble over; a variable cannot hold NUL. */
const value = tuple(
  string({ unit: "binary" }),
  constantFrom("", "'", "\\", "\\'", '"', "$HOME", "`id`", "\n", "’", "!!", "%PATH%"),
  string(),
).map((parts) => Buffer.from(parts.join("")).toString().replaceAll("\0", ""));

it("sets exactly these values in a real sh", () => {
  assert(
    property(value, value, (first, second) => {
      const script = `${toExports(
        [
          ["K6_CLOUD_TOKEN", first],
          ["K6_CLOUD_HOST", second],
        ],
        "sh",
      )}printf '%s\\0%s' "$K6_CLOUD_TOKEN" "$K6_CLOUD_HOST"`;
      const output = execFileSync("sh", ["-c", script], { encoding: "utf8" });
      expect(output.split("\0")).toEqual([first, second]);
    }),
    { numRuns: 50 },
  );
});

/** How a shell reads what is between single quotes, by its documentation. */
const readers: readonly { shell: Shell; form: RegExp; read: (quoted: string) => string }[] = [
  {
    shell: "fish",
    form: /^set -gx NAME '((?:[^'\\]|\\['\\])*)'\n$/s,
    read: (quoted) => quoted.replaceAll(/\\(['\\])/g, "$1"),
  },
  {
    shell: "powershell",
    form: /^\$env:NAME = '((?:[^'\u2018-\u201b]|['\u2018-\u201b]{2})*)'\n$/s,
    read: (quoted) => quoted.replaceAll(/(['\u2018-\u201b])\1/g, "$1"),
  },
];

it.each(readers)("sets exactly these values by the rules of $shell", ({ shell, form, read }) => {
  assert(
    property(value, (text) => {
      const [, quoted] = form.exec(toExports([["NAME", text]], shell)) ?? expect.unreachable();
      expect(read(quoted ?? "")).toBe(text);
    }),
  );
});

describe("the user's shell", () => {
  it.each<[Shell, Record<string, string>]>([
    ["sh", { SHELL: "/bin/bash" }],
    ["fish", { SHELL: "/usr/bin/fish" }],
    ["powershell", { PSModulePath: "C:\\Modules" }],
    ["sh", { SHELL: "/usr/bin/bash", PSModulePath: "C:\\Modules" }],
    ["sh", {}],
  ])("is %s with %j", (shell, environment) => {
    expect(guessShell(environment)).toBe(shell);
  });
});
