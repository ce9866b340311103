import { expect, it } from "vitest";
import { findFreePort, isFree } from "../../src/free-port.ts";

it("finds ports that can be listened at, and that Linux gives to no connection", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, findFreePort));
  for (const port of ports) {
    expect(port).toBeGreaterThan(1_024);
    expect(port).toBeLessThan(32_768);
  }
  // Whoever looks at the same time finds another one.
  expect(new Set(ports).size).toBeGreaterThan(45);
  expect(await isFree(ports[0] ?? NaN)).toBe(true);
});
