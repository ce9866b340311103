import { assert, constantFrom, dictionary, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { matches, parseSelector, parseThresholds } from "../../../src/runs/thresholds.ts";

describe("parseThresholds", () => {
  it("takes each form that k6 sends, in the order of the script", () => {
    const thresholds = parseThresholds({
      "http_req_duration{status:200}": [
        "p(95)<500",
        { threshold: "avg<200", abortOnFail: true, delayAbortEval: "1m0s" },
        { threshold: "max<900", abortOnFail: true, delayAbortEval: null },
      ],
      checks: ["rate>0.9"],
      http_reqs: [{ threshold: "count>1", delayAbortEval: 1500 }],
    });
    const metric = "http_req_duration{status:200}";
    expect(thresholds).toEqual([
      { metric, expression: "p(95)<500", abortOnFail: false, delayAbortEvalMs: 0 },
      { metric, expression: "avg<200", abortOnFail: true, delayAbortEvalMs: 60_000 },
      { metric, expression: "max<900", abortOnFail: true, delayAbortEvalMs: 0 },
      { metric: "checks", expression: "rate>0.9", abortOnFail: false, delayAbortEvalMs: 0 },
      { metric: "http_reqs", expression: "count>1", abortOnFail: false, delayAbortEvalMs: 1_500 },
    ]);
  });

  it("takes the time of its length for a text that means harm", () => {
    const [quotes, digits, spaces] = ["'\"", "1", " "].map((text) => text.repeat(500_000));
    expect(parseSelector(`m{t:a${quotes}b${quotes}}`).tags.get("t")).toBe(`a${quotes}b`);
    expect(() => parseThresholds({ m: [`count<${digits}x`] })).toThrow(InputError);
    expect(() => parseThresholds({ m: [`count${spaces}<1${spaces}x`] })).toThrow(InputError);
  });

  it("has none for a script without", () => {
    expect(parseThresholds(undefined)).toEqual([]);
    expect(parseThresholds(null)).toEqual([]);
    expect(parseThresholds({})).toEqual([]);
  });

  it("names everything that is wrong, at once", () => {
    const parse = () =>
      parseThresholds({
        http_reqs: ["count>1", "count~1", 5],
        "checks{a}": ["rate>1"],
        vus: "value>1",
        "": ["rate>1"],
        iterations: [
          { threshold: "count>1", delayAbortEval: "soon" },
          { threshold: "count>1", delayAbortEval: -1 },
          { threshold: "count>1", abortOnFail: "yes" },
          { abortOnFail: true },
        ],
      });
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(
      new RegExp(
        [
          'thresholds: "http_reqs": "count~1" is not a threshold: expected .*',
          '"http_reqs": expected an expression .*, not 5',
          '"checks{a}": expected tag:value, not "a"',
          '"vus": expected a list of expressions, not "value>1"',
          '"": expected a metric .*, not ""',
          '"iterations": "soon" is not a duration: .*',
          '"iterations": delayAbortEval: expected a duration such as "10s", not -1',
          '"iterations": abortOnFail: expected true or false, not "yes"',
          '"iterations": expected an expression .*',
        ].join("; "),
      ),
    );
    expect(() => parseThresholds(["p(95)<500"])).toThrow("expected metrics with lists");
  });
});

describe("a metric selector", () => {
  it.each([
    ["http_reqs", "http_reqs", {}],
    ["http_reqs{status:200}", "http_reqs", { status: "200" }],
    [`r{"name":'a b', scenario : x }`, "r", { name: "a b", scenario: "x" }],
    ["r{group:::login::form}", "r", { group: "::login::form" }],
    ["r{name:http://a/{id}}", "r", { name: "http://a/{id}" }],
    [`r{group:""}`, "r", { group: "" }],
  ])("is read from %s", (text, metric, tags) => {
    expect(parseSelector(text)).toEqual({ metric, tags: new Map(Object.entries(tags)) });
  });

  it.each(["", "{a:b}", "r{", "r}", "r{a:b", "r{a:b}c", "r{}", "r{a}", "r{a:}", "r{a:b,}"])(
    "is not read from %j",
    (text) => {
      expect(() => parseSelector(text)).toThrow(InputError);
    },
  );

  it("matches the series that have all of its tags", () => {
    const selector = parseSelector("r{status:200,method:GET}");
    const matching = { status: "200", method: "GET", url: "/" };
    expect(matches(selector, new Map(Object.entries(matching)))).toBe(true);
    expect(matches(selector, new Map([["status", "200"]]))).toBe(false);
    expect(matches(selector, new Map(Object.entries({ ...matching, status: "500" })))).toBe(false);
    expect(matches(parseSelector("r"), new Map())).toBe(true);
    expect(matches(parseSelector(`r{group:""}`), new Map())).toBe(true);
  });

  it("finds the tags again that it was made of, in quotes or without", () => {
    const word = string({ minLength: 1, unit: constantFrom("a", "B", "0", "é", ".", "/", " x") });
    assert(
      property(dictionary(word, word), constantFrom("", '"', "'"), (tags, quote) => {
        const pairs = Object.entries(tags).map(([tag, value]) => [tag.trim(), value.trim()]);
        const filter = pairs.map((pair) => pair.map((w) => `${quote}${w}${quote}`).join(": "));
        const text = pairs.length === 0 ? "m" : `m{${filter.join(", ")}}`;
        expect(parseSelector(text)).toEqual({ metric: "m", tags: new Map(pairs as []) });
      }),
    );
  });
});
