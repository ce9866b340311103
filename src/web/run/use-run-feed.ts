/**
 * The feed of one run, for a component: open for as long as it is drawn.
 */
import { useEffect, useState } from "preact/hooks";
import type { TimeRange } from "../chart/chart-group.ts";
import { RunFeed, type RunFeedState } from "./run-feed.ts";

export interface FollowedRun extends RunFeedState {
  readonly retry: () => void;
  /** null: all of the run is looked at */
  readonly showPart: (range: TimeRange | null) => void;
}

/** @param id number or testid. Undefined before the first answer is asked for. */
export function useRunFeed(id: string): FollowedRun | undefined {
  const [followed, setFollowed] = useState<FollowedRun>();
  useEffect(() => {
    const feed = new RunFeed(id, () => setFollowed({ ...feed.state, ...actions }));
    const actions = {
      retry: () => feed.retry(),
      showPart: (range: TimeRange | null) => void feed.showPart(range),
    };
    return () => feed.close();
  }, [id]);
  return followed;
}
