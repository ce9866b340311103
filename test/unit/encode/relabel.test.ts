import { array, assert, constantFrom, option, property, record, string } from "fast-check";
import { expect, it } from "vitest";
import { parseYaml } from "../../../src/config/yaml.ts";
import { parseRelabelConfigs } from "../../../src/encode/parse-relabel-configs.ts";
import { relabel } from "../../../src/encode/relabel.ts";
import { ConfigError } from "../../../src/errors.ts";
import { refusedRules, relabelCases, relabelInput } from "../../support/relabel-cases.ts";

const toLabels = (values: Readonly<Record<string, string | null>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value: value ?? "" }));

const parseRules = (yaml: string) => parseRelabelConfigs(parseYaml(yaml, "test"), "rules.yaml");

/** What the rules make of a series with these labels, as an object in the order of the labels. */
function run(rules: string, labels: Readonly<Record<string, string>>) {
  const result = relabel(toLabels(labels), parseRules(rules));
  return result && Object.fromEntries(result.map(({ name, value }) => [name, value]));
}

it.each(relabelCases)("$name", ({ rules, changes }) => {
  const expected = { ...relabelInput, ...(changes === "dropped" ? {} : changes) };
  expect(run(rules, relabelInput)).toEqual(
    changes === "dropped"
      ? undefined
      : Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== null)),
  );
});

it.each(refusedRules)("refuses $rules", ({ rules, problem }) => {
  expect(() => parseRules(rules)).toThrow(ConfigError);
  expect(() => parseRules(rules)).toThrow(problem);
});

it("reports every problem of every rule with its file", () => {
  const rules = "[{action: keep, regex: '[', modulus: -1}, {action: drop}, {target_label: 1a}]";
  expect(() => parseRules(rules)).toThrow(
    expect.objectContaining({
      problems: [
        expect.objectContaining({ option: "write_relabel_configs[0].regex", source: "rules.yaml" }),
        expect.objectContaining({ option: "write_relabel_configs[0].modulus" }),
        expect.objectContaining({ option: "write_relabel_configs[2].target_label" }),
      ],
    }),
  );
});

it.each([
  ["has lost its name", "[{action: labeldrop, regex: __name__}]"],
  ["has a name that no metric can have", "[{target_label: __name__, replacement: a b}]"],
])("drops a series that %s, which receivers refuse or ignore", (_, rules) => {
  expect(run(rules, relabelInput)).toBeUndefined();
});

it("leaves out labels that are reserved", () => {
  const rules = "[{target_label: __tmp, replacement: x}]";
  expect(run(rules, { __name__: "m", __address__: "y", a: "z" })).toEqual({
    __name__: "m",
    a: "z",
  });
});

it("does not map a label to what is no label name", () => {
  const rules = "[{action: labelmap, regex: 'a_?(.*)'}]";
  expect(run(rules, { __name__: "m", a: "1", a_1: "2", a_b: "3" })).toEqual({
    __name__: "m",
    a: "1",
    a_1: "2",
    a_b: "3",
    b: "3",
  });
});

it("answers a hostile regex in linear time", () => {
  const rules = "[{action: drop, source_labels: [a], regex: '(x+x+)+y'}]";
  expect(run(rules, { __name__: "m", a: "x".repeat(50_000) })).toBeDefined();
});

const name = constantFrom("__name__", "A", "a", "b", "__tmp", "Zone");
const template = constantFrom("$1", "${1}_x", "a", "b", "", "$2");
const rule = record(
  {
    action: constantFrom("replace", "labelmap", "labeldrop", "uppercase", "hashmod"),
    source_labels: array(name, { maxLength: 3 }),
    regex: constantFrom("(.*)", "(.).*", "a", ""),
    target_label: name,
    replacement: template,
    modulus: constantFrom(7),
  },
  { requiredKeys: ["action", "target_label"] },
);

it("returns sorted, unique, valid labels with values and a name, or nothing, whatever the rules", () => {
  let kept = 0;
  assert(
    property(
      array(rule, { maxLength: 4 }),
      record({ A: option(string()), a: string({ unit: "binary" }), b: string() }),
      (configs, values) => {
        const rules = configs.flatMap((config) => {
          try {
            return parseRelabelConfigs([config], "test");
          } catch (error) {
            if (error instanceof ConfigError) return [];
            throw error;
          }
        });
        const result = relabel(toLabels({ __name__: "m", ...values }), rules);
        if (result === undefined) return;
        kept += 1;
        const names = result.map(({ name }) => name);
        expect(names).toEqual([...new Set(names)].sort());
        expect(names).toContain("__name__");
        expect(names.every((name) => /^[a-zA-Z_]\w*$/.test(name))).toBe(true);
        expect(names.filter((name) => name.startsWith("__"))).toHaveLength(1);
        expect(result.every(({ value }) => value !== "")).toBe(true);
      },
    ),
  );
  expect(kept).toBeGreaterThan(10);
});
