/**
 * The stores that a run must reach, as one interface: what differs between them is said here and nowhere else.
 */
import { vi } from "vitest";
import { type MetricsStore, startPrometheus } from "./prometheus.ts";
import type { ToolName } from "./tools.ts";
import { startVictoriaMetrics } from "./victoria-metrics.ts";

export interface RunStore extends MetricsStore {
  /** Resolves when what was delivered of a run can be queried. */
  settle(testid: string): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  readonly tool: ToolName;
  /** The form in which distributions get there by default. */
  readonly trends: "native" | "classic";
  start(program: string): Promise<RunStore>;
}

const settled = (): Promise<void> => Promise.resolve();

export const storeKinds: readonly StoreKind[] = [
  {
    name: "Prometheus 2",
    tool: "prometheus-2",
    trends: "native",
    start: async (program) => {
      const flags = ["--enable-feature=native-histograms"];
      // A 2xx says that it can be queried.
      return { ...(await startPrometheus({ program, flags })), settle: settled };
    },
  },
  {
    name: "Prometheus 3",
    tool: "prometheus-3",
    trends: "native",
    start: async (program) => ({ ...(await startPrometheus({ program })), settle: settled }),
  },
  {
    name: "VictoriaMetrics",
    tool: "victoria-metrics",
    trends: "classic",
    start: async (program) => {
      const store = await startVictoriaMetrics({ program });
      return {
        ...store,
        async settle(testid) {
          const ends = `last_over_time(plimsoll_run_end_time_seconds{testid="${testid}"}[1h])`;
          await vi.waitFor(
            async () => {
              await store.flush();
              const { length } = await store.query(ends);
              if (length !== 1) throw new Error(`${length} ends of ${testid} can be queried`);
            },
            { timeout: 20_000 },
          );
        },
      };
    },
  },
];
