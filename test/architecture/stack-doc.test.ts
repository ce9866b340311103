/** docs/stack.md has a row for each service of the native stack. `UPDATE_DOCS=1` rewrites them. */
import { expect, it } from "vitest";
import { services } from "../../src/stack/services.ts";
import { expectGeneratedTable } from "../support/markdown.ts";

it("documents every service: its port, its job, what it needs and where to get it", async () => {
  expect(services).toHaveLength(8);
  await expectGeneratedTable("stack.md", "<!-- begin: generated services -->", [
    ["Service", "Port", "Prometheus job", "Only with", "Where it is missing"],
    ...services.map(({ name, port, job, needs = [], install = "" }) => [
      `\`${name}\``,
      String(port),
      job === undefined ? "" : `\`${job}\``,
      needs.map((other) => `\`${other}\``).join(", "),
      install.startsWith("http") ? `<${install}>` : install && `\`${install}\``,
    ]),
  ]);
});

it("starts every service after what it needs", () => {
  const names = services.map(({ name }) => name);
  for (const [index, { name, needs = [] }] of services.entries()) {
    for (const other of needs) expect(names.indexOf(other), name).toBeLessThan(index);
  }
});
