/**
 * Asks before something is done that cannot be taken back.
 */
import type { ComponentChildren, JSX } from "preact";
import { useAttempt } from "../api/use-attempt.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { Notice } from "./notice.tsx";
import { PlainText } from "./plain-text.tsx";

interface ConfirmDialogProps {
  /** As the button says that opened it; the button that confirms says it again. */
  readonly title: string;
  /** What will be, and what stays. */
  readonly children: ComponentChildren;
  /** It closes when this resolves, and says what this rejects with. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function ConfirmDialog(props: ConfirmDialogProps): JSX.Element {
  const { title, children, onConfirm, onClose } = props;
  const { error, isBusy, attempt } = useAttempt(async () => {
    await onConfirm();
    onClose();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error !== undefined && <Notice tone="bad" title={<PlainText text={error} />} />}
      <div class="dialog-buttons">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" isBusy={isBusy} onClick={() => void attempt()}>
          {title}
        </Button>
      </div>
    </Dialog>
  );
}
