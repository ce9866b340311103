/**
 * A text to be copied whole, e.g. a command or a link.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./button.tsx";

interface CopyTextProps {
  /** Names the text. */
  readonly label: string;
  readonly text: string;
}

export function CopyText({ label, text }: CopyTextProps): JSX.Element {
  const [words, setWords] = useState("Copy");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setWords("Copied");
    } catch {
      // Without https, or where it is forbidden: the text is selected, to be copied by hand.
      setWords("Press Ctrl+C");
    }
  };
  return (
    <div class="copy-text">
      <input
        type="text"
        readOnly
        value={text}
        aria-label={label}
        onFocus={(event) => event.currentTarget.select()}
        ref={(input) => {
          if (words === "Press Ctrl+C") input?.focus();
        }}
      />
      <Button onClick={() => void copy()}>
        <span aria-live="polite">{words}</span>
      </Button>
    </div>
  );
}
