/**
 * Whether the load generator was saturated, of what its chart shows. Pure.
 */
import type { Chart } from "../../charts/chart-data.ts";
import { seriesFigures } from "../chart/summary.ts";
import { formatMoment } from "../chart/axis-text.ts";
import { formatRatio } from "../format/number.ts";

/** As `generate/saturation.ts` has it: k6 asks for at least 20 % idle, and says that at 100 % response times grow. */
const saturatedCpuRatio = 0.9;

/** A sentence; null where nothing says that it was. */
export function generatorAdvice(
  { series }: Pick<Chart, "series">,
  times: readonly number[],
): string | null {
  for (const { name, values } of series) {
    const figures = seriesFigures(times, values);
    if (!figures) continue;
    const at = formatMoment("clock", figures.highestAt);
    if (/cpu/i.test(name) && figures.highest > saturatedCpuRatio) {
      return `The load generator used ${formatRatio(figures.highest)} of its cores at ${at}.`;
    }
    if (/dropped/i.test(name) && figures.highest > 0) {
      return `The load generator could not start all iterations: ${formatRatio(figures.highest)} of them were dropped at ${at}.`;
    }
  }
  return null;
}
