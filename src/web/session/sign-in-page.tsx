/**
 * Asks for a token, and goes back to where it was asked for.
 */
import type { JSX, TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { navigate, usePlace } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { useSession } from "./session.tsx";

export function SignInPage({ problem }: { readonly problem: string | undefined }): JSX.Element {
  const { query } = usePlace();
  const { view, signIn } = useSession();
  const [error, setError] = useState(problem);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get("token");
    setIsBusy(true);
    try {
      await signIn(typeof token === "string" ? token.trim() : "");
      navigate(backTo(query.get("to")), { replace: true });
    } catch (failure) {
      setError(inWords(failure));
      setIsBusy(false);
    }
  };

  return (
    <div class="sign-in">
      <PageTitle title="Sign in" />
      {view.principal && (
        <p>
          You are signed in as {view.principal.name}. Another token takes the place of this one.
        </p>
      )}
      {error !== undefined && <Notice tone="bad" title={error} />}
      <form onSubmit={(event) => void submit(event)}>
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="text"
          class="token-input"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          required
          aria-describedby="token-help"
        />
        <p id="token-help" class="quiet">
          It begins with <code>plm_</code>. Who runs this server makes one with{" "}
          <code>plimsoll token create --name NAME --role read</code>; the first was printed when the
          server started for the first time.
        </p>
        <Button type="submit" kind="main" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
    </div>
  );
}

/** Only to a place of the page itself. */
function backTo(to: string | null): string {
  return to !== null && /^\/(?![/\\])/.test(to) ? to : "/runs";
}

function inWords(error: unknown): string {
  if (!(error instanceof ApiError)) return "The page failed: its console says why.";
  if (error.status === 401) {
    return "This token is not known here: it may be of another server, revoked, or cut off when it was copied.";
  }
  return `Signing in failed: ${error.message}.`;
}
