/**
 * Which HTTP statuses a test expects, written as `200,201,3xx,400-404`. Any other status is a failed request.
 */
import { UsageError } from "../errors.ts";

/** What k6 expects by default. Source: k6 `js/modules/k6/http/response_callback.go`. */
export const defaultExpectStatus = "200-399";

/**
 * @throws UsageError if a part is not a status, a class such as `2xx`, or a range with its lower end first
 */
export function parseExpectStatus(text: string): (status: number) => boolean {
  const ranges = text.split(",").map((part) => parseRange(part.trim()));
  return (status) => ranges.some(({ from, to }) => from <= status && status <= to);
}

interface StatusRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

function parseRange(part: string): StatusRange {
  const [, hundreds] = /^([1-5])xx$/i.exec(part) ?? [];
  if (hundreds !== undefined) {
    return { from: Number(hundreds) * 100, to: Number(hundreds) * 100 + 99 };
  }
  const [, from, to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(part) ?? [];
  if (from === undefined || Number(to) < Number(from)) {
    throw new UsageError(
      `expected status ${JSON.stringify(part)} is none; expected statuses from 100 to 599, classes and ranges, ` +
        'separated by commas, e.g. "200,201,3xx,400-404"',
    );
  }
  return { from: Number(from), to: Number(to) };
}
