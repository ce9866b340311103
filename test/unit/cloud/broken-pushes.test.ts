/** What a hostile or broken generator pushes is refused as a whole, or understood; a million of them: npm run bench -- fuzz */
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  double,
  record,
  uint8Array,
} from "fast-check";
import { expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { brokenBody, mutationKinds } from "../../support/broken-metric-sets.ts";
import { checkedReader } from "../../support/checking-sink.ts";

const share = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it("refuses a broken push without a trace of it, or understands all of it", async () => {
  let [refused, understood] = [0, 0];
  const body = record({
    base: share,
    noise: uint8Array({ maxLength: 64 }),
    mutations: array(
      record({
        kind: constantFrom(...mutationKinds),
        place: share,
        amount: share,
        bytes: uint8Array({ minLength: 1, maxLength: 8 }),
      }),
      { maxLength: 4 },
    ),
    isInside: boolean(),
  });
  await assert(
    asyncProperty(body, async (broken) => {
      const { sink, read } = checkedReader();
      const error = await read(brokenBody(broken)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) {
        understood++;
      } else {
        refused++;
        expect(error).toBeInstanceOf(InputError);
        expect(sink.buckets).toBe(0);
      }
      expect(sink.violations).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
  // Both happen, or nothing was looked at.
  expect(refused).toBeGreaterThan(100);
  expect(understood).toBeGreaterThan(100);
});
