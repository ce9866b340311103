/**
 * What people wrote about the run.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { hasRole } from "../session/session.tsx";
import { NoteForm } from "./note-form.tsx";
import { RunSection, type SectionProps } from "./section.tsx";

export function NotesSection({ run, session }: SectionProps): JSX.Element {
  const [isEditing, setIsEditing] = useState(false);
  const hadForm = useRef(false);
  useEffect(() => {
    // The form that had the focus is gone.
    if (hadForm.current && !isEditing) document.getElementById("edit-note")?.focus();
    hadForm.current = isEditing;
  }, [isEditing]);
  // What was written here counts until the run has another note.
  const [saved, setSaved] = useState<{ readonly over: string; readonly note: string }>();
  const note = saved?.over === run.note ? saved.note : run.note;
  return (
    <RunSection id="notes" title="Notes">
      {isEditing ? (
        <NoteForm
          run={{ id: run.id, note }}
          onSaved={(changed) => {
            setSaved({ over: run.note, note: changed.note });
            setIsEditing(false);
          }}
          onCancel={() => setIsEditing(false)}
        />
      ) : (
        <>
          {note === "" ? (
            <p class="quiet">Nobody has written anything about this run.</p>
          ) : (
            <p class="note-text">
              <PlainText text={note} limit={2_000} />
            </p>
          )}
          {hasRole(session, "read") && (
            <Button id="edit-note" onClick={() => setIsEditing(true)}>
              {note === "" ? "Write a note" : "Edit note"}
            </Button>
          )}
        </>
      )}
    </RunSection>
  );
}
