/**
 * One HTML file of a report: data, script and style in it, and nothing that it could ask for.
 *
 * In:  the data, the bundle of `src/web/report/`. Out: the page's text. Its content security policy lets nothing run but this
 * very script, whatever the data holds.
 *
 * Source: HTML, 4.12.1.3 (what ends a script's text); CSP Level 3, 2.3.1 (hashes).
 */
import { createHash } from "node:crypto";
import type { ReportData } from "../web/report/report-data.ts";

/** What `npm run build` makes of `src/web/report/`. */
export interface ReportBundle {
  readonly script: string;
  readonly style: string;
}

/** By which the page's script finds the data. */
const dataId = "report-data";

export function toReportPage(data: ReportData, bundle: ReportBundle): string {
  // A parser makes one line end of each, and a hash is of what it has then.
  const [script, style] = [bundle.script, bundle.style].map((text) => text.replace(/\r\n?/g, "\n"));
  const safeScript = toScriptText(script ?? "");
  const policy = [
    "default-src 'none'",
    `script-src '${sha256(safeScript)}'`,
    `style-src '${sha256(style ?? "")}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${toText(`${data.run.test}, run ${data.run.id}`)}</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This report needs JavaScript; it asks nothing of any network.</noscript>
<script type="application/json" id="${dataId}">${toDataText(data)}</script>
<script>${safeScript}</script>
</body>
</html>
`;
}

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** JSON without any `<`: nothing in it can end the element or begin another. */
function toDataText(data: ReportData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** In strings of JavaScript, where alone these can be, the escape is the same character. */
function toScriptText(script: string): string {
  return script.replace(/<(?=!--|\/?script)/gi, "\\x3c");
}

function toText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
