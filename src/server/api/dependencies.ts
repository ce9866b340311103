/**
 * What the routes of our own API stand on.
 */
import type { RunCharts } from "../../charts/run-charts.ts";
import type { Clock } from "../../clock.ts";
import type { Admission } from "../../runs/admission.ts";
import type { Authenticator } from "../../runs/principal.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import type { RunService } from "../../runs/run-service.ts";
import type { RunFiles } from "../run-files.ts";

export interface ApiDependencies {
  readonly repository: RunRepository;
  readonly service: RunService;
  readonly files: RunFiles;
  readonly authenticator: Authenticator;
  readonly admission: Admission;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly charts: RunCharts;
}
