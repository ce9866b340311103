/**
 * What to do where the list is empty.
 */
import type { JSX } from "preact";
import { hrefOf } from "../navigation/place.ts";
import { CopyText } from "../parts/copy-text.tsx";
import { Notice } from "../parts/notice.tsx";
import { isFiltered, type ListQuery } from "./list-query.ts";

export function NoRuns({ query }: { readonly query: ListQuery }): JSX.Element {
  if (isFiltered(query) || query.after !== "") {
    return (
      <Notice title="No run matches.">
        <p>
          Search for less, or <a href={hrefOf("/runs")}>show all runs</a>.
        </p>
      </Notice>
    );
  }
  const server = document.baseURI.replace(/\/$/, "");
  return (
    <Notice title="No run so far.">
      <p>Where k6 is, with a token of the role push in PLIMSOLL_TOKEN:</p>
      <CopyText
        label="Tells k6 of this server"
        text={`eval "$(plimsoll env --server ${server})"`}
      />
      <CopyText label="Starts a run" text="k6 cloud run --local-execution script.js" />
      <p>The run appears here as soon as k6 begins.</p>
    </Notice>
  );
}
