/**
 * Counts frames as Chromium itself does: its compositor traces what became of each frame that it began.
 *
 * Source: Chromium `base/tracing/protos/chrome_track_event.proto`, ChromeFrameReporter.State.
 */
import type { CDPSession } from "playwright-core";

export interface Frames {
  /** With all that the page's own thread had to say. */
  readonly presented: number;
  /** Begun, with something to show, and shown too late, without the page's part, or never. */
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
    readonly frame_reporter?: { readonly state?: string };
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
    const states = this.#events
      .filter(({ name, ph }) => name === "PipelineReporter" && ph === "b")
      .filter(({ pid }) => renderers.has(pid))
      .map(({ args }) => args?.frame_reporter?.state ?? "");
    const count = (...wanted: readonly string[]): number =>
      states.filter((state) => wanted.includes(state)).length;
    return {
      presented: count("STATE_PRESENTED_ALL"),
      dropped: count("STATE_PRESENTED_PARTIAL", "STATE_DROPPED"),
    };
  }
}
