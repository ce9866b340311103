/**
 * Makes a link that shows one run to who has no token; lists those that work, and ends them.
 */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { ShareView } from "../../server/api/session-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { useAttempt } from "../api/use-attempt.ts";
import { formatPeriod } from "../format/time.ts";
import { Button } from "../parts/button.tsx";
import { CopyText } from "../parts/copy-text.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Notice } from "../parts/notice.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { Time } from "../parts/time.tsx";
import { hasRole } from "../session/session.tsx";
import { revokeShare, shareRun } from "./run-changes.ts";
import type { SectionProps } from "./section.tsx";

/** How long a link may work, in seconds: within what the server allows, 60 s to 90 days. */
const periods = [3_600, 86_400, 7 * 86_400, 30 * 86_400, 90 * 86_400];
const usualPeriod = 7 * 86_400;

interface ShareDialogProps extends SectionProps {
  readonly onClose: () => void;
}

export function ShareDialog({ run, session, onClose }: ShareDialogProps): JSX.Element {
  const periodId = useId();
  const [seconds, setSeconds] = useState(usualPeriod);
  const [link, setLink] = useState<string>();
  const path = `/runs/${run.id}/shares`;
  const { answer, error: listError, reload } = useAnswer<{ shares: readonly ShareView[] }>(path);
  const making = useAttempt(async () => {
    setLink((await shareRun(run.id, seconds)).url);
    reload();
  });
  const ending = useAttempt(async (share: number) => {
    await revokeShare(run.id, share);
    reload();
  });
  const problem = making.error ?? ending.error ?? listError?.message;
  const shares = answer?.shares ?? [];
  return (
    <Dialog title="Share" onClose={onClose}>
      <p>
        Whoever has the link sees this run, its figures, script and log, and nothing else of this
        server. They need no token, and can change nothing.
      </p>
      <p class="field-row">
        <label for={periodId}>The link works for</label>
        <select
          id={periodId}
          value={seconds}
          onChange={(event) => setSeconds(Number(event.currentTarget.value))}
        >
          {periods.map((period) => (
            <option key={period} value={period}>
              {formatPeriod(period)}
            </option>
          ))}
        </select>
        <Button kind="main" isBusy={making.isBusy} onClick={() => void making.attempt()}>
          Make a link
        </Button>
      </p>
      {link !== undefined && (
        <div aria-live="polite">
          <CopyText label="Link to this run" text={link} />
          <p class="quiet">It is shown now, and never again.</p>
        </div>
      )}
      {problem !== undefined && <Notice tone="bad" title={<PlainText text={problem} />} />}
      {shares.length > 0 && (
        <TableRegion caption="Links that work" isCaptionHidden={false}>
          <thead>
            <tr>
              <th scope="col">Made by</th>
              <th scope="col">Made</th>
              <th scope="col">Works until</th>
              <th scope="col">
                <span class="visually-hidden">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shares.map((share) => (
              <tr key={share.id}>
                <td>
                  <PlainText text={share.createdBy} />
                </td>
                <td>
                  <Time at={share.created} />
                </td>
                <td>
                  <Time at={share.expires} />
                </td>
                <td>
                  {(share.createdBy === session.principal?.name || hasRole(session, "admin")) && (
                    <Button
                      kind="bare"
                      isBusy={ending.isBusy}
                      aria-label={`Revoke link ${share.id}`}
                      onClick={() => void ending.attempt(share.id)}
                    >
                      Revoke
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
      <div class="dialog-buttons">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
