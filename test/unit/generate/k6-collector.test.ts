import { totalmem } from "node:os";
import { expect, it } from "vitest";
import { collectorVariables } from "../../../src/generate/k6-collector.ts";

it("lets k6's heap grow to three times what is alive, within the memory that there is", () => {
  const { GOGC, GOMEMLIMIT } = collectorVariables({ PATH: "/bin" });
  expect(GOGC).toBe("200");
  expect(GOMEMLIMIT).toMatch(/^\d+$/);
  expect(Number(GOMEMLIMIT)).toBeGreaterThan(0);
  expect(Number(GOMEMLIMIT)).toBeLessThanOrEqual(0.8 * totalmem());
});

it.each([{ GOGC: "50" }, { GOGC: "" }, { GOMEMLIMIT: "1GiB" }])(
  "leaves what the user has set: %j",
  (env) => expect(collectorVariables(env)).toEqual({}),
);
