/**
 * The button that stops a run; where no server can, it says why, and what to type instead.
 */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client.ts";
import { isUnderWay } from "../format/state-words.ts";
import { Button } from "../parts/button.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import type { SectionProps } from "../record/section.tsx";

/** Nothing where the run is over, or where one may look only. */
export function StopRun({ run, session }: SectionProps): JSX.Element | null {
  const [isOpen, setIsOpen] = useState(false);
  const [isStopping, setIsStopping] = useState(false);
  const { principal } = session;
  const isOver = !isUnderWay(run.state);
  useEffect(() => {
    // The button that had the focus is gone.
    if (isOver && isStopping && document.activeElement === document.body) {
      document.getElementById("main")?.focus({ preventScroll: true });
    }
  }, [isOver]);
  if (isOver || principal === null || principal.role === "share") return null;
  const close = (): void => setIsOpen(false);
  return (
    <>
      <Button kind="danger" isBusy={isStopping} onClick={() => setIsOpen(true)}>
        {isStopping ? "Stopping …" : "Stop run"}
      </Button>
      {isOpen && run.stop.can && (
        <ConfirmDialog
          title="Stop run"
          onClose={close}
          onConfirm={async () => {
            await ask(`/runs/${run.id}/stop`, { method: "POST" });
            setIsStopping(true);
          }}
        >
          <p>
            The load generator is told to stop when it sends its next samples: iterations that have
            begun may take as long as the test’s gracefulStop allows. What was measured stays, and
            the run ends as “Aborted by user”.
          </p>
        </ConfirmDialog>
      )}
      {isOpen && !run.stop.can && (
        <Dialog title="Stop run" onClose={close}>
          <p>
            This run cannot be stopped from here: <PlainText text={run.stop.why} />.
          </p>
          <div class="dialog-buttons">
            <Button onClick={close}>Close</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
