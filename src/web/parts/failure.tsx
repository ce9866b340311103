/**
 * Why an answer could not be had, and what to do about it.
 */
import type { JSX } from "preact";
import type { ApiError } from "../api/client.ts";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";
import { PlainText } from "./plain-text.tsx";

interface FailureProps {
  /** What failed, e.g. `The runs could not be read`. */
  readonly what: string;
  readonly error: ApiError;
  /** Asks again. */
  readonly onRetry: () => void;
}

export function Failure({ what, error, onRetry }: FailureProps): JSX.Element {
  return (
    // Not to be let in is an answer.
    <Notice tone={error.status === 403 ? "info" : "bad"} title={what}>
      <p>
        <PlainText text={capitalised(error.message)} />. {adviceFor(error)}
      </p>
      {error.status !== 403 && <Button onClick={onRetry}>Try again</Button>}
    </Notice>
  );
}

function adviceFor({ status }: ApiError): string {
  if (status === 0)
    return "See whether “plimsoll serve” runs, and whether this machine has a network.";
  if (status === 403) return "Sign in with a token of another role, or ask who runs this server.";
  if (status === 404) return "It may have been deleted.";
  if (status >= 500) return "The server’s log says more.";
  return "";
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
