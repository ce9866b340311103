/** What `npm run dashboards:check` asks others: both promtools, and Grafana's schemas. */
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { checkWithPromtool } from "../../src/dashboards/check/promtool.ts";
import { readSchemas } from "../../src/dashboards/check/schemas.ts";
import { describeWithTool } from "../support/tools.ts";

const schemas = fileURLToPath(new URL("../../../shared/data/grafana-jsonschema", import.meta.url));

it.skipIf(!existsSync(schemas) && process.env["REQUIRE_SERVICES"] !== "1")(
  "finds what Grafana's schemas do not allow (they are beside the clone)",
  async () => {
    const check = await readSchemas(schemas);
    const file = new URL("../../dashboards/correlation.json", import.meta.url);
    const good = await readFile(file, "utf8");
    const broken = (from: string, to: string) =>
      check("broken", JSON.parse(good.replaceAll(from, to))).map(({ message }) => message);
    expect(broken("", "")).toEqual([]);
    expect(broken('"graphTooltip"', '"graphTooltips"')).toContainEqual(
      expect.stringContaining('additionalProperty":"graphTooltips'),
    );
    expect(broken('"legendFormat"', '"legendFormats"')).not.toEqual([]);
    expect(broken('"reduceOptions"', '"reducedOptions"')).not.toEqual([]);
    expect(broken('"matcher": {', '"matchers": {')).toContainEqual(
      expect.stringContaining("required property 'matcher'"),
    );
  },
);

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
      expect(findings[0]?.message).toMatch(/parse error: unclosed left parenthesis.*in "sum\(rate/);
      expect(findings[1]?.message).toMatch(/expected type range vector/);
    });
  });
}
