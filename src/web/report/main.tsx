/**
 * The page of a report: shows the data that is in the same file.
 */
import { render } from "preact";
import type { ReportData } from "./report-data.ts";

const root = document.querySelector("#page");
const data = document.querySelector("#report-data")?.textContent;
// `plimsoll report` writes what the type says.
if (root && data) render(<h1>{(JSON.parse(data) as ReportData).run.test}</h1>, root);
