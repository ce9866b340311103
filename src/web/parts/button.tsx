/**
 * A button. What one may not do is not offered; what cannot be done just now says why.
 */
import type { ButtonHTMLAttributes, JSX } from "preact";

interface ButtonProps extends Omit<ButtonHTMLAttributes, "class"> {
  /** `main`: what one came for; `danger`: what cannot be taken back; `bare`: one of many in a row. Default: none of these. */
  readonly kind?: "main" | "danger" | "plain" | "bare";
  /** Waits for the server: cannot be pressed again, and keeps the focus. */
  readonly isBusy?: boolean;
}

export function Button({ kind = "plain", isBusy = false, ...rest }: ButtonProps): JSX.Element {
  const { onClick } = rest;
  return (
    <button
      type="button"
      {...rest}
      class={`button button-${kind}`}
      // `disabled` would take the focus away from who uses the keyboard.
      aria-disabled={isBusy ? "true" : rest["aria-disabled"]}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
    />
  );
}
