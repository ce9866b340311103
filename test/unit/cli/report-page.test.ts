import { createHash } from "node:crypto";
import { assert, property, string, stringMatching } from "fast-check";
import { describe, expect, it } from "vitest";
import { toReportPage } from "../../../src/cli/report-page.ts";
import { toRunView } from "../../../src/server/api/run-view.ts";
import type { ReportData } from "../../../src/web/report/report-data.ts";
import { runRecord } from "../../support/run-record.ts";

function dataOf(test: string): ReportData {
  return {
    made: "2026-11-22T22:00:00.000Z",
    version: "1.0.0",
    source: "http://k6.test",
    run: toRunView(runRecord({ test, note: test })),
    charts: null,
    problem: { message: test },
    log: [],
    logLeftOut: 0,
  };
}

const bundle = { script: 'document.title = "</script><!-- <SCRIPT";\r\n', style: "p{margin:0}" };

/** As a browser reads it: an element's text ends at its end tag and nowhere else. */
function elementsOf(page: string): { scripts: string[]; styles: string[]; policy: string } {
  const all = (name: string) =>
    [...page.matchAll(new RegExp(`<${name}[^>]*>(.*?)</${name}`, "gis"))].map(
      ([, text = ""]) => text,
    );
  const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  return { scripts: all("script"), styles: all("style"), policy };
}

const sha256 = (text = "") => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("the page of a report", () => {
  it("allows its own script and style, and nothing else", () => {
    const { scripts, styles, policy } = elementsOf(toReportPage(dataOf("checkout"), bundle));
    expect(scripts[1]).toBe('document.title = "\\x3c/script>\\x3c!-- \\x3cSCRIPT";\n');
    expect(policy).toBe(
      `default-src 'none'; script-src ${sha256(scripts[1])}; style-src ${sha256(styles[0])}; ` +
        "img-src data:; base-uri 'none'; form-action 'none'",
    );
  });

  it("has the data as it was, whatever is in it, and nothing more", () => {
    const markup = stringMatching(/^(<\/script>|<!--|-->|<script>|<\/title>|[&<>"'\\]|a){1,9}$/);
    for (const hostile of [markup, string({ unit: "binary" })]) {
      assert(
        property(hostile, (text) => {
          const data = dataOf(text);
          const { scripts, styles } = elementsOf(toReportPage(data, bundle));
          expect(scripts).toHaveLength(2);
          expect(styles).toHaveLength(1);
          expect(JSON.parse(scripts[0] ?? "")).toEqual(JSON.parse(JSON.stringify(data)));
        }),
      );
    }
  });
});
