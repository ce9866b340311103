/**
 * Sizes as people write them, `512MiB`, to bytes and back.
 *
 * Units: IEC 80000-13 (`KiB` = 1024) and SI (`kB` = 1000), in any case; a bare number is bytes.
 */
import { UsageError } from "../errors.ts";

const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Whole bytes; a fraction of a byte is cut off.
 *
 * @throws UsageError when `text` is not a size, or not a safe integer of bytes.
 */
export function parseBytes(text: string): number {
  const [, amount, unit = "b"] = /^(\d+(?:\.\d+)?) ?([a-z]+)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(amount) * (unitBytes[unit.toLowerCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not a size: expected one such as "512MiB", "10GB" or "1048576"`,
    );
  }
  return bytes;
}

/** A text that `parseBytes` turns back into `bytes`: in the largest binary unit that is exact. */
export function formatBytes(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    // The units are keys of the table.
    const amount = bytes / (unitBytes[unit.toLowerCase()] ?? Number.NaN);
    if (amount >= 1 && Number.isInteger(amount)) return `${amount}${unit}`;
  }
  return `${bytes}B`;
}
