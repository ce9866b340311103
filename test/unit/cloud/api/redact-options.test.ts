import { describe, expect, it } from "vitest";
import { redactOptions, tokensOf } from "../../../../src/cloud/api/redact-options.ts";
import { InputError } from "../../../../src/errors.ts";

const ours = `plm_${"aB3-_".repeat(8)}xyz`;

describe("options that are kept", () => {
  it.each([
    [
      "the token that k6 puts there",
      { cloud: { token: "anything", name: "a" } },
      { cloud: { token: "***", name: "a" } },
    ],
    [
      "the same under its older name",
      { ext: { loadimpact: { token: "x" } } },
      { ext: { loadimpact: { token: "***" } } },
    ],
    [
      "values of variables",
      { scenarios: { a: { env: { USER: "jo", N: 1 }, vus: 2 } } },
      { scenarios: { a: { env: { USER: "***", N: "***" }, vus: 2 } } },
    ],
    [
      "passwords by their name",
      { tlsAuth: [{ password: "p", domains: ["a.test"] }] },
      { tlsAuth: [{ password: "***", domains: ["a.test"] }] },
    ],
    [
      "private keys",
      { tlsAuth: [{ key: "-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n" }] },
      { tlsAuth: [{ key: "***\n" }] },
    ],
    [
      "our own tokens, wherever they are",
      { tags: { note: `see ${ours}!` } },
      { tags: { note: "see ***!" } },
    ],
    ["Grafana's", { tags: { a: "glsa_0123456789abcdefghijABCD" } }, { tags: { a: "***" } }],
    ["those of Grafana Cloud k6", { a: "0123456789abcdef".repeat(4) }, { a: "***" }],
    ["what follows Bearer", { userAgent: "x Bearer abc.def-123" }, { userAgent: "x Bearer ***" }],
    [
      "passwords in URLs",
      { hosts: ["https://jo:secret@shop.test/a"] },
      { hosts: ["https://jo:***@shop.test/a"] },
    ],
  ])("hold no secrets: %s", (_, options, kept) => {
    expect(redactOptions(options)).toEqual(kept);
  });

  it("keep a tag and thresholds that are named env", () => {
    const options = { tags: { env: "staging" }, thresholds: { env: ["rate<0.1"] } };
    expect(redactOptions(options)).toEqual(options);
  });

  it("are looked at in a time that grows no faster than they do", () => {
    const hostile = ["eyJ-".repeat(1 << 18), `Bearer${" ".repeat(1 << 20)}`];
    expect(redactOptions(hostile)).toEqual(hostile);
  });

  it("are otherwise as they were", () => {
    const options = {
      vus: 10,
      duration: "30s",
      paused: null,
      thresholds: {
        "http_reqs{name:token}": ["count>1"],
        "http_reqs{name:a}": [{ threshold: "rate>1", abortOnFail: true }],
      },
      systemTags: ["url", "name"],
      scenarios: { default: { env: null, exec: "" } },
      cloud: { token: "" },
    };
    expect(redactOptions(options)).toEqual(options);
  });

  it("are not nested so deeply that reading them takes the server down", () => {
    let nested: unknown = "x";
    for (let depth = 0; depth < 100_000; depth++) nested = [nested];
    expect(() => redactOptions(nested)).toThrow(InputError);
  });
});

it("the tokens of the cloud options are known, to be looked for elsewhere", () => {
  expect(
    tokensOf({ cloud: { token: "12345678" }, ext: { loadimpact: { token: "abcdefgh" } } }),
  ).toEqual(["12345678", "abcdefgh"]);
  // A short one would be found everywhere.
  expect(tokensOf({ cloud: { token: "1" } })).toEqual([]);
  expect(tokensOf(null)).toEqual([]);
});
