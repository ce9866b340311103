/**
 * The page's only h1, and what the tab is called.
 */
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { visibleText } from "../format/visible-text.ts";

interface PageTitleProps {
  /** Of the tab, and the heading unless `children` say it better. */
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function PageTitle({ title, children }: PageTitleProps): JSX.Element {
  useEffect(() => {
    document.title = `${visibleText(title).slice(0, 200)} · Plimsoll`;
  }, [title]);
  return <h1>{children ?? title}</h1>;
}
