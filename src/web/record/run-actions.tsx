/**
 * What one may do with a run, beside looking at it: star, share, keep its archive, delete.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client.ts";
import { isUnderWay } from "../format/state-words.ts";
import { navigate } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";
import { hasRole } from "../session/session.tsx";
import { DeleteDialog } from "./delete-dialog.tsx";
import type { SectionProps } from "./section.tsx";
import { ShareDialog } from "./share-dialog.tsx";
import { StarButton } from "./star-button.tsx";

export function RunActions({ run, session }: SectionProps): JSX.Element {
  const [open, setOpen] = useState<"share" | "delete">();
  const close = (): void => setOpen(undefined);
  return (
    <>
      {hasRole(session, "read") && (
        <>
          <StarButton run={run} />
          <Button onClick={() => setOpen("share")}>Share</Button>
          <a
            class="button button-plain"
            href={apiUrl(`/runs/${run.id}/export`)}
            download={`run-${run.id}.json`}
          >
            Export
          </a>
        </>
      )}
      {hasRole(session, "admin") && !isUnderWay(run.state) && (
        <Button onClick={() => setOpen("delete")}>Delete run</Button>
      )}
      {open === "share" && <ShareDialog run={run} session={session} onClose={close} />}
      {open === "delete" && (
        <DeleteDialog run={run} onClose={close} onDeleted={() => navigate("/runs")} />
      )}
    </>
  );
}
