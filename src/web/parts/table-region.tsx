/**
 * A table within a region of its own that scrolls, so that the page does not; the keyboard reaches it.
 */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface TableRegionProps {
  /** Names the table, and the region. */
  readonly caption: string;
  /** For those only who do not see that a heading says the same above. Default true. */
  readonly isCaptionHidden?: boolean;
  readonly children: ComponentChildren;
}

export function TableRegion(props: TableRegionProps): JSX.Element {
  const { caption, isCaptionHidden = true, children } = props;
  const id = useId();
  return (
    // What scrolls must be reached with the keyboard.
    <div class="table-region" role="region" aria-labelledby={id} tabIndex={0}>
      <table>
        <caption id={id} class={isCaptionHidden ? "visually-hidden" : undefined}>
          {caption}
        </caption>
        {children}
      </table>
    </div>
  );
}

interface SortHeaderProps<Key extends string> {
  readonly name: string;
  readonly sortKey: Key;
  /** By what the table is sorted. */
  readonly sort: Key | undefined;
  readonly order: "asc" | "desc";
  /** What the first press does. Default `desc`: what is most comes first. */
  readonly firstOrder?: "asc" | "desc";
  readonly onSort: (sort: Key, order: "asc" | "desc") => void;
  readonly isNumber?: boolean;
}

/** The header of a column by which the table can be sorted. */
export function SortHeader<Key extends string>(props: SortHeaderProps<Key>): JSX.Element {
  const { name, sortKey, sort, order, firstOrder = "desc", onSort, isNumber = false } = props;
  const isSorted = sort === sortKey;
  const next = !isSorted ? firstOrder : order === "asc" ? "desc" : "asc";
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={!isSorted ? "none" : order === "asc" ? "ascending" : "descending"}
    >
      <button type="button" class="sort-button" onClick={() => onSort(sortKey, next)}>
        {name}
        <span class="sort-mark" aria-hidden="true">
          {isSorted ? (order === "asc" ? "▲" : "▼") : ""}
        </span>
      </button>
    </th>
  );
}
