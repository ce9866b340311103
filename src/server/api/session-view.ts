/**
 * Who is signed in, and links that show one run to who is not: as programs get them.
 */
import type { Role } from "../../runs/run-repository.ts";

export interface SessionView {
  /** Null: nobody is signed in. */
  readonly principal: {
    readonly name: string;
    /** `share`: reads the one run `runId`, until `expires`; `run`: a run's own token. */
    readonly role: Role | "run" | "share";
    readonly runId: number | null;
    readonly expires: string | null;
  } | null;
  /** The server's clock, by which the page counts. */
  readonly now: string;
  readonly version: string;
  /** Where Grafana is, if it was said. */
  readonly grafanaUrl: string | null;
}

export interface ShareView {
  readonly id: number;
  readonly createdBy: string;
  readonly created: string;
  readonly expires: string;
}

/** The link is shown here and nowhere else. */
export interface CreatedShare {
  readonly share: ShareView;
  /** `<public URL>/runs/<id>#share=pls_…`: what is behind # is sent to no server and stands in no log. */
  readonly url: string;
}
