import { describe, expect, it } from "vitest";
import { anyOf, quoted } from "../../../src/query/promql.ts";
import { createStore, type StoreAsker, StoreUnreachable } from "../../../src/query/store.ts";

const url = new URL("http://store.test/api/v1/query");

/** Answers when it is told to, and says how many ask at a time. */
function askedBy(): StoreAsker & { readonly forms: string[]; answer(body: object): void } {
  const forms: string[] = [];
  const waiting: ((body: object) => void)[] = [];
  return {
    displayUrl: "http://store.test/api/v1/write",
    forms,
    ask: (to, form) => {
      forms.push(`${to.pathname} ${form.get("query")}`);
      return new Promise((resolve) => {
        waiting.push((body) => {
          resolve({ kind: "answer", status: 200, body: JSON.stringify(body) });
        });
      });
    },
    answer: (body) => waiting.shift()?.(body),
  };
}

const answer = (value: string): object => ({
  status: "success",
  data: { resultType: "vector", result: [{ metric: { a: "b" }, value: [1, value] }] },
});

describe("a store", () => {
  it("is asked once what is asked again while it thinks, and again afterwards", async () => {
    const client = askedBy();
    const store = createStore(client, url);
    const both = Promise.all([store.instant("up", 1), store.instant("up", 1)]);
    await expect.poll(() => client.forms.length).toBe(1);
    client.answer(answer("3"));
    expect(await both).toEqual([
      [{ labels: { a: "b" }, value: 3 }],
      [{ labels: { a: "b" }, value: 3 }],
    ]);
    const later = store.instant("up", 1);
    await expect.poll(() => client.forms.length).toBe(2);
    client.answer(answer("+Inf"));
    expect(await later).toEqual([{ labels: { a: "b" }, value: Infinity }]);
  });

  it("is asked four questions at a time, in their order", async () => {
    const client = askedBy();
    const store = createStore(client, url);
    const all = Array.from({ length: 6 }, (_, index) => store.instant(`up${index}`, 1));
    await expect.poll(() => client.forms.length).toBe(4);
    for (let asked = 5; asked <= 6; asked++) {
      client.answer(answer("1"));
      await expect.poll(() => client.forms.length).toBe(asked);
    }
    expect(client.forms.at(-1)).toBe("/api/v1/query up5");
    for (let left = 0; left < 4; left++) client.answer(answer("1"));
    expect(await Promise.all(all)).toHaveLength(6);
  });

  it.each([
    [{ status: 401, body: "no" }, "may the credentials of the output read as well as write?"],
    [{ status: 200, body: "<html>" }, "is --query-url right?"],
    [{ status: 422, body: '{"status":"error","error":"too many"}' }, "HTTP 422: too many"],
  ])("says what it answered instead: %j", async (said, words) => {
    const ask: StoreAsker["ask"] = async () => ({ kind: "answer", ...said });
    const store = createStore({ displayUrl: "http://store.test/w", ask }, url);
    const failure = store.range("up", { start: 10, step: 5, count: 2 });
    await expect(failure).rejects.toThrow(StoreUnreachable);
    await expect(failure).rejects.toThrow(words);
  });
});

describe("a value in PromQL", () => {
  it("stays a value, whatever it holds", () => {
    expect(quoted('a"}\\\n\u{d800}é')).toBe('"a\\"}\\\\\\n\u{fffd}é"');
    expect(anyOf(["a.b|c", "(x)"])).toBe('"a\\\\.b\\\\|c|\\\\(x\\\\)"');
  });
});
