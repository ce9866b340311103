/**
 * Counts frames as Chromium itself does: its compositor traces what became of each frame that it began.
 *
 * Source: Chromium `base/tracing/protos/chrome_track_event.proto`, ChromeFrameReporter.State.
 */
import type { CDPSession } from "playwright-core";

export interface Frames {
  /** Shown, with what the page's own thread had drawn by then. */
  readonly presented: number;
  /** Begun, with something to show, and never shown. */
  readonly dropped: number;
}

/** As much of a trace event as is read. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly args?: {
    /** Of a process. */
    readonly name?: string;
    readonly frame_reporter?: {
      readonly state: string;
      readonly frame_source: number;
      readonly frame_sequence: number;
    };
  };
}

export class FrameCounter {
  readonly #cdp: CDPSession;
  readonly #events: TraceEvent[] = [];

  private constructor(cdp: CDPSession) {
    this.#cdp = cdp;
    // Chromium's own format, which the protocol describes as any object.
    cdp.on("Tracing.dataCollected", ({ value }) => {
      this.#events.push(...(value as unknown as TraceEvent[]));
    });
  }

  static async start(cdp: CDPSession): Promise<FrameCounter> {
    const counter = new FrameCounter(cdp);
    await cdp.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: ["cc", "benchmark"], excludedCategories: ["*"] },
    });
    return counter;
  }

  async stop(): Promise<Frames> {
    const complete = new Promise<void>((resolve) => {
      this.#cdp.once("Tracing.tracingComplete", () => resolve());
    });
    await this.#cdp.send("Tracing.end");
    await complete;
    // The browser's own process composes frames of its window as well.
    const renderers = new Set(
      this.#events
        .filter(({ name, args }) => name === "process_name" && args?.name === "Renderer")
        .map(({ pid }) => pid),
    );
    // One frame has several reports where the page's thread is late for it: what it drew comes with the next.
    const states = new Map<string, Set<string>>();
    for (const { name, ph, pid, args } of this.#events) {
      const report = args?.frame_reporter;
      if (name !== "PipelineReporter" || ph !== "b" || !renderers.has(pid) || !report) continue;
      const frame = `${pid} ${report.frame_source} ${report.frame_sequence}`;
      states.set(frame, (states.get(frame) ?? new Set()).add(report.state));
    }
    const frames = [...states.values()];
    return {
      presented: frames.filter((seen) => seen.has("STATE_PRESENTED_ALL")).length,
      dropped: frames.filter((seen) => seen.size === 1 && seen.has("STATE_DROPPED")).length,
    };
  }
}
