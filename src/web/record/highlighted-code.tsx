/**
 * JavaScript and TypeScript with its words in colours: elements made by Preact, never markup. In a file of its own, which is
 * fetched when there is code to be shown.
 */
import type { ComponentChild, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { parser } from "@lezer/javascript";
import { visibleParts } from "../format/visible-text.ts";

/** With types, and with JSX, which each other program is without. */
const typescript = parser.configure({ dialect: "ts" });

export function HighlightedCode({ code }: { readonly code: string }): JSX.Element {
  const parts = useMemo(() => highlight(code), [code]);
  return <>{parts}</>;
}

function highlight(code: string): ComponentChild[] {
  const parts: ComponentChild[] = [];
  const putText = (text: string, classes: string): void => {
    for (const { text: part, isMark } of visibleParts(text)) {
      const names = isMark ? `${classes} mark` : classes;
      parts.push(names === "" ? part : <span class={names}>{part}</span>);
    }
  };
  highlightCode(code, typescript.parse(code), classHighlighter, putText, () => parts.push("\n"));
  return parts;
}
