/**
 * Numbers for people: the same in progress lines, reports and tables.
 */

/** `1 234 567`, with thin grouping that copies as plain text. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, " ");
}

/** `950 B`, `12.3 kB`, `4.56 MB`: powers of 1 000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value.toPrecision(3)} ${units[unit]}`;
}

/** `1:02:03` or `02:03`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1_000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  const hours = Math.floor(seconds / 3_600);
  return [...(hours > 0 ? [hours] : []), ...parts].join(":");
}

/** A duration in seconds as `12.3 ms` or `1.23 s`. */
export function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1_000).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`;
}

/** A ratio as `0.12 %`. */
export function formatShare(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

/** Columns padded to their widest cell; numbers (cells that begin with a digit) to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return /^\d/.test(cell) && column > 0 ? cell.padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
