/** A run that is asked for, of the test `checkout`. */
import type { StartRun } from "../../src/runs/run-service.ts";

export const startRun: StartRun = {
  projectId: 1,
  test: "checkout",
  source: "cloud-v1",
  generator: "k6/2.2.0",
  startedBy: "ann",
  options: {},
  thresholds: [],
  maxVus: 1,
  expectedSeconds: undefined,
  tags: {},
  note: "",
  idempotencyKey: "",
};
