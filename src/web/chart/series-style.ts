/**
 * How series are told apart: by colour and by dash, so that neither a colour-blind reader nor a black-and-white print loses one.
 * Pure.
 */

export interface SeriesStyle {
  /** A custom property of style/tokens.css, without its dashes; chart.css has a class of that name. */
  readonly colour: string;
  /** Lengths of line and gap in CSS pixels; empty: a solid line. */
  readonly dash: readonly number[];
}

/** As many as style/tokens.css has. */
const colours = 10;
/** One more than divides the colours: series that share a colour differ in their dash. */
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3]];

/** What went wrong looks the same in every chart. */
const failures = /^(failed|dropped|requests failed|dropped iterations)$/;

export function seriesStyle(index: number, name: string): SeriesStyle {
  if (failures.test(name)) return { colour: "bad", dash: index % 2 === 0 ? [5, 2] : [3, 2] };
  return {
    colour: `series-${(index % colours) + 1}`,
    dash: dashes[index % dashes.length] ?? [],
  };
}
