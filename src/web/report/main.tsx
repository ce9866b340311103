/**
 * The page of a report: shows the data that is in the same file, and asks nobody for more.
 */
import { render } from "preact";
import "../style/tokens.css";
import "../style/base.css";
import "../style/parts.css";
import "../style/chart.css";
import "../style/record.css";
import "../style/run.css";
import "./report.css";
import type { ReportData } from "./report-data.ts";
import { ReportPage } from "./report-page.tsx";

const root = document.querySelector("#page");
const data = document.querySelector("#report-data")?.textContent;
// `plimsoll report` writes what the type says.
if (root && data) render(<ReportPage report={JSON.parse(data) as ReportData} />, root);
