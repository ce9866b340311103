/**
 * Marks a run, for everybody, as one to be found again.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../api/use-attempt.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { changeRun } from "./run-changes.ts";

interface StarButtonProps {
  readonly run: { readonly id: number; readonly starred: boolean };
  /** Without words, in a table: its name has the run's number then. Default false. */
  readonly isSmall?: boolean;
}

export function StarButton({ run, isSmall = false }: StarButtonProps): JSX.Element {
  // What was pressed counts until the run is asked for again.
  const [pressed, setPressed] = useState<{ readonly run: unknown; readonly starred: boolean }>();
  const starred = pressed?.run === run ? pressed.starred : run.starred;
  const { error, isBusy, attempt } = useAttempt(async () => {
    await changeRun(run.id, { starred: !starred });
    setPressed({ run, starred: !starred });
  });
  return (
    <>
      <Button
        kind={isSmall ? "bare" : "plain"}
        aria-pressed={starred}
        {...(isSmall && { "aria-label": `Star run ${run.id}` })}
        title={starred ? "Take the star away" : "Star"}
        isBusy={isBusy}
        onClick={() => void attempt()}
      >
        <Icon name="star" isFilled={starred} />
        {!isSmall && " Star"}
      </Button>
      {error !== undefined && <span role="alert">{error}</span>}
    </>
  );
}
