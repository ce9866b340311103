/** `npm run dashboards:check` as CI runs it, with both promtools, and on files that are broken on purpose. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkWithPromtool } from "../../src/dashboards/check/promtool.ts";
import { describeWithTool } from "../support/tools.ts";

const script = fileURLToPath(new URL("../../scripts/dashboards-check.mjs", import.meta.url));

it("finds nothing in the dashboards that are checked in", async () => {
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  expect(`${stdout}${stderr}`).toMatch(/\d+ dashboards: \d+ panels, \d+ expressions/);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  expect(code, stderr).toBe(0);
});

for (const tool of ["promtool-2", "promtool-3"] as const) {
  describeWithTool(tool, `${tool} over the dashboards' expressions`, (program) => {
    const good = {
      place: "good › Rate › A",
      expr: 'sum by (name) (rate(k6_http_reqs_total{testid="1"}[1m]))',
    };

    it("accepts PromQL", async () => {
      expect(await checkWithPromtool(program, [good, good])).toEqual([]);
    });

    it("names the place of each expression that is none", async () => {
      const unclosed = { place: "good › Rate › B", expr: "sum(rate(k6_http_reqs_total[1m])" };
      const untyped = { place: "good › annotation Start", expr: "rate(k6_vus)" };
      const findings = await checkWithPromtool(program, [good, unclosed, good, untyped]);
      expect(findings.map(({ place }) => place)).toEqual([unclosed.place, untyped.place]);
      expect(findings[0]?.message).toMatch(/parse error: unclosed left parenthesis.*in sum\(rate/);
      expect(findings[1]?.message).toMatch(/expected type range vector/);
    });
  });
}
