import { expect, it } from "vitest";
import { createAdmission } from "../../../src/server/admission.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function admission({ openRuns = 0 } = {}) {
  const clock = new FakeClock();
  const refused: string[] = [];
  const openRunsOf = (name: string): number => (name === "ci" ? openRuns : 0);
  const made = createAdmission({ clock, openRunsOf, onRefused: (kind) => refused.push(kind) });
  return { clock, refused, ...made };
}

it("takes a thousand runs of a token in ten minutes, says when again, and counts what it refuses", () => {
  const { clock, admit, refused } = admission();
  for (let made = 0; made < 1_000; made++) expect(admit("run", "ci")).toBeUndefined();
  clock.advance(9 * 60_000);
  expect(admit("run", "ci")).toEqual({
    message: "this token has made 1000 runs within 10 minutes; again in 60 s",
    retryAfterSeconds: 60,
  });
  expect(admit("run", "another"), "another token").toBeUndefined();
  expect(admit("test", "ci"), "tests are counted apart").toBeUndefined();
  clock.advance(60_000);
  expect(admit("run", "ci")).toBeUndefined();
  expect(refused).toEqual(["run"]);
});

it("takes no run of a token that has five hundred which go on", () => {
  expect(admission({ openRuns: 499 }).admit("run", "ci")).toBeUndefined();
  const { admit } = admission({ openRuns: 500 });
  expect(admit("run", "ci")).toMatchObject({ retryAfterSeconds: 30 });
  expect(admit("run", "another")).toBeUndefined();
  expect(admit("test", "ci")).toBeUndefined();
});
