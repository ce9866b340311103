/**
 * Prints what a dashboard shows and what is wrong with it, for a person.
 */

/** @import { DashboardReport, Finding } from "./page/report.ts" */

/** Series of one panel that are listed; more are counted. */
const listed = 12;

/**
 * Every finding with where it is, as `--expect` matches it: `UID/PANEL: KIND: MESSAGE`.
 *
 * @param {DashboardReport} report
 * @returns {string[]}
 */
export function findingLines({ uid, panels, findings }) {
  /** @param {string} place @param {Finding} finding */
  const line = (place, { kind, message }) => `${place}: ${kind}: ${message.split("\n")[0]}`;
  return [
    ...findings.map((finding) => line(uid, finding)),
    ...panels.flatMap(({ title, findings }) =>
      findings.map((finding) => line(`${uid}/${title}`, finding)),
    ),
  ];
}

/**
 * @param {DashboardReport} report
 * @param {number} seconds
 * @returns {void}
 */
export function printReport({ uid, title, variables, annotations, panels }, seconds) {
  console.log(`\n${title} (${uid}): ${panels.length} panels in ${seconds.toFixed(1)} s`);
  if (variables.length > 0) {
    console.log(
      `  variables    ${variables.map(({ name, value }) => `${name}=${value}`).join("  ")}`,
    );
  }
  if (annotations.length > 0) {
    console.log(
      `  annotations  ${annotations.map(({ name, events }) => `${name}: ${events}`).join("  ")}`,
    );
  }
  for (const { title, type, values, text } of panels) {
    console.log(`  ${title} [${type}]`);
    const rows = values
      .slice(0, listed)
      .map(({ name, value, unit, min, max }) => [name, value, min && `${min} … ${max}`, unit]);
    if (type === "text") rows.push([text.replaceAll(/\s+/g, " ").slice(0, 100)]);
    printColumns(rows);
    if (values.length > listed) console.log(`    and ${values.length - listed} more`);
  }
}

/** @param {string[][]} rows */
function printColumns(rows) {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0), 0),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(Math.min(widths[column] ?? 0, 60)));
    console.log(`    ${cells.join("  ").trimEnd()}`);
  }
}
