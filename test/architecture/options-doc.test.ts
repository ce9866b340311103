/**
 * docs/options.md has every option as the table has it. `UPDATE_DOCS=1` rewrites its table.
 */
import { readFile, writeFile } from "node:fs/promises";
import { format } from "prettier";
import { expect, it } from "vitest";
import { configFileFlag } from "../../src/config/config-file.ts";
import { boolean } from "../../src/config/option-kinds.ts";
import { optionRows, toDefaultText, type NamedRow } from "../../src/config/option-table.ts";
import { k6Flags } from "../../src/generate/k6-flags.ts";

const docs = new URL("../../docs/options.md", import.meta.url);
const begin = "<!-- begin: generated from src/config/option-table.ts -->";
const end = "<!-- end: generated -->";

it("lists every option in docs/options.md", async () => {
  const content = await readFile(docs, "utf8");
  const [before, rest = ""] = content.split(begin);
  const [, after] = rest.split(end);
  const generated = `${begin}\n\n${toTable(optionRows)}\n\n${end}`;
  const expected = await format(`${before}${generated}${after}`, {
    parser: "markdown",
    printWidth: 100,
  });
  if (process.env["UPDATE_DOCS"] === "1") await writeFile(docs, expected);
  else expect(content, "run the test with UPDATE_DOCS=1").toBe(expected);
  expect(expected.match(/^\| `/gm)).toHaveLength(optionRows.length);
});

it("has one spelling per option and source", () => {
  for (const spelling of ["flag", "variable", "key"] as const) {
    const spellings = optionRows.map((row) => row[spelling]);
    expect(new Set(spellings).size).toBe(optionRows.length);
  }
});

it("shares no flag with k6 but those that mean the same there", () => {
  const ours = [configFileFlag, ...optionRows.map(({ flag }) => flag)];
  const theirs = new Set(k6Flags.map(({ name }) => `--${name}`));
  expect(theirs.size).toBeGreaterThan(40);
  expect(ours.filter((flag) => theirs.has(flag))).toEqual(["--tag", "--out"]);
});

it("marks every option that holds a credential as secret", () => {
  const credential = /password|token|secret|key|param|header|database/i;
  const isPlace = ({ name }: NamedRow) =>
    /File$|(?<!database)Url$|^clientCertificateKey$/.test(name);
  const secrets = optionRows.filter((row) => credential.test(row.name) && !isPlace(row));
  expect(secrets.map(({ name, secret }) => [name, secret])).toEqual([
    ["password", true],
    ["bearerToken", true],
    ["oauth2ClientSecret", true],
    ["oauth2EndpointParams", true],
    ["sigv4AccessKey", true],
    ["sigv4SecretKey", true],
    ["headers", true],
    ["databaseUrl", true],
    ["token", true],
  ]);
});

function toTable(rows: readonly NamedRow[]): string {
  const cells = rows.map((row) => [
    code(row.key),
    code(toFlag(row)),
    code(row.variable),
    [row.k6?.name, row.k6?.itemPrefix && `${row.k6.itemPrefix}<Name>`].map(code).join(" "),
    row.defaultText ?? code(toDefaultText(row).replace(/^-$/, "")),
    row.description,
  ]);
  const header = [
    "Key in `plimsoll.yaml`",
    "Flag",
    "Variable",
    "k6's variable",
    "Default",
    "Meaning",
  ];
  return [header, header.map(() => "---"), ...cells]
    .map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

function toFlag({ flag, kind }: NamedRow): string {
  return kind === boolean ? flag.replace("--", "--[no-]") : `${flag} <${kind.placeholder}>`;
}

function code(text: string | undefined): string {
  return text ? `\`${text}\`` : "";
}
