/**
 * Says in a box what is empty or went wrong, and what to do next.
 */
import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icon.tsx";

interface NoticeProps {
  /** `bad` is read out at once. Default `info`. */
  readonly tone?: "info" | "warn" | "bad";
  /** What is the matter: a sentence. */
  readonly title: ComponentChildren;
  /** What to do. */
  readonly children?: ComponentChildren;
}

export function Notice({ tone = "info", title, children }: NoticeProps): JSX.Element {
  return (
    <div class={`notice notice-${tone}`} {...(tone === "bad" && { role: "alert" })}>
      <Icon name={tone} />
      <div>
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}
