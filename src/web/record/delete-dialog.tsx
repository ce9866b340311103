/**
 * Asks before a run is deleted.
 */
import type { JSX } from "preact";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { deleteRun } from "./run-changes.ts";

interface DeleteDialogProps {
  readonly run: { readonly id: number; readonly testid: string };
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

export function DeleteDialog({ run, onDeleted, onClose }: DeleteDialogProps): JSX.Element {
  return (
    <ConfirmDialog
      title="Delete run"
      onClose={onClose}
      onConfirm={async () => {
        await deleteRun(run.id);
        onDeleted();
      }}
    >
      <p>
        The record of <PlainText text={run.testid} />, its log and its script are removed for good,
        and links to it lead nowhere.
      </p>
      <p>Its samples stay in the store, for as long as the store keeps them.</p>
    </ConfirmDialog>
  );
}
