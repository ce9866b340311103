/**
 * What the routes of our own API stand on.
 */
import type { RunCharts } from "../../charts/run-charts.ts";
import type { Clock } from "../../clock.ts";
import type { Admission } from "../../runs/admission.ts";
import type { Authenticator } from "../../runs/principal.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import type { RunService } from "../../runs/run-service.ts";
import type { FeedLimits } from "../live-feed/live-feeds.ts";
import type { RunFiles } from "../run-files.ts";
import type { ServerMetrics } from "../server-metrics.ts";
import type { WrongTokens } from "../wrong-tokens.ts";

export interface ApiDependencies {
  readonly repository: RunRepository;
  readonly service: RunService;
  readonly files: RunFiles;
  readonly authenticator: Authenticator;
  readonly wrongTokens: WrongTokens;
  readonly admission: Admission;
  readonly publicUrl: string;
  /** Where Grafana is, if it was said. */
  readonly grafanaUrl?: string | undefined;
  readonly clock: Clock;
  readonly metrics: ServerMetrics;
  readonly isPending: (runId: number) => boolean;
  readonly limits?: Partial<FeedLimits>;
  readonly charts: RunCharts;
}
