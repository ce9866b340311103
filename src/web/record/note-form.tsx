/**
 * What people write about a run: a text, kept when they say so.
 */
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { RunView } from "../../server/api/run-view.ts";
import { useAttempt } from "../api/use-attempt.ts";
import { Button } from "../parts/button.tsx";
import { Notice } from "../parts/notice.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { changeRun } from "./run-changes.ts";

/** As the server has it. */
const maxLength = 10_000;

interface NoteFormProps {
  readonly run: { readonly id: number; readonly note: string };
  readonly onSaved: (run: RunView) => void;
  readonly onCancel: () => void;
}

export function NoteForm({ run, onSaved, onCancel }: NoteFormProps): JSX.Element {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  // Who opens it, writes.
  useEffect(() => field.current?.focus(), []);
  const [note, setNote] = useState(run.note);
  const { error, isBusy, attempt } = useAttempt(async () => {
    onSaved(await changeRun(run.id, { note }));
  });
  return (
    <form
      class="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt();
      }}
    >
      <label for={id}>Note</label>
      <textarea
        ref={field}
        id={id}
        rows={5}
        maxLength={maxLength}
        dir="auto"
        value={note}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      {error !== undefined && <Notice tone="bad" title={<PlainText text={error} />} />}
      <div class="dialog-buttons">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="main" isBusy={isBusy}>
          Save note
        </Button>
      </div>
    </form>
  );
}
