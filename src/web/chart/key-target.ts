/**
 * Where a key leads on a chart's axis of time, as on any slider. Pure.
 *
 * Source: WAI-ARIA Authoring Practices, "Slider", keyboard interaction.
 */

/** By how many times PageUp and PageDown go. */
const pageTimes = 10;

/** Where a key leads from `index`, within first and last; undefined: the key is for something else. */
export function keyTarget(
  key: string,
  index: number,
  { first, last }: { readonly first: number; readonly last: number },
): number | undefined {
  const within = (target: number): number => Math.min(last, Math.max(first, target));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return within(index + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return within(index - 1);
    case "PageUp":
      return within(index + pageTimes);
    case "PageDown":
      return within(index - pageTimes);
    case "Home":
      return first;
    case "End":
      return last;
    default:
      return undefined;
  }
}
