/**
 * Whether the receiver stores native histograms, and which ones a run with these options sends to it.
 */
import type { RemoteWriteOptions } from "../config/options.ts";
import type { TrendForm } from "../encode/prometheus-mapper.ts";
import { ReceiverError } from "../errors.ts";
import { trendFormOf, unasked } from "../output/negotiate.ts";
import type { ProbeAccepted } from "../send/probe.ts";
import type { Check } from "./check.ts";

type Stored = ProbeAccepted["nativeHistograms"];
type HistogramOptions = Pick<RemoteWriteOptions, "url" | "protocol" | "preflight" | "trends">;

/** @param application The store's name, where it says one */
export function checkHistograms(
  stored: Stored,
  options: HistogramOptions,
  application: string | undefined,
): Check {
  const check = "native_histograms";
  const facts = { stored: stored === "unverified" ? null : stored };
  const form = formOf(stored, options);
  const text = `${findings[String(stored) as `${Stored}`]}; ${sentWith(form, options)}`;
  // Undefined, too: it would not store the ones that are insisted on.
  if (stored === false && form !== "classic" && form !== "none") {
    const auto = "leave --trends at auto";
    const change = application === "Prometheus" ? `${enableNative}, or ${auto}` : auto;
    return { check, level: "problem", text, change, facts };
  }
  if (form === "native" && stored === "unverified") {
    const change = "look in the store for the histograms of a short run, or use --trends classic";
    return { check, level: "warning", text, change, facts };
  }
  if (form !== "classic" || options.trends !== "auto") return { check, level: "ok", text, facts };
  const change = {
    true: "leave --no-preflight out, or use --trends native",
    false: application === "Prometheus" ? enableNative : "nothing, if classic histograms will do",
    unverified: "use --trends native if you know that it does",
  }[String(stored) as `${Stored}`];
  return { check, level: "warning", text, change, facts };
}

const enableNative =
  "start Prometheus with --enable-feature=native-histograms, or use 3.8 or newer";

const findings = {
  true: "stores native histograms",
  false: "does not store native histograms",
  unverified: "nobody can say whether it stores native histograms: its query API does not answer",
} as const;

/** Undefined where a run would not begin. */
function formOf(stored: Stored, options: HistogramOptions): TrendForm | undefined {
  if (!options.preflight) return unasked(options).trendForm;
  try {
    return trendFormOf(options.trends, stored, options.url, []);
  } catch (error) {
    if (error instanceof ReceiverError) return undefined;
    throw error;
  }
}

function sentWith(form: TrendForm | undefined, { trends, preflight }: HistogramOptions): string {
  if (form === undefined) return `--trends ${trends} insists on them, so a run would not begin`;
  const sent = {
    native: "native ones are sent",
    classic: "classic ones are sent, whose quantiles are coarser",
    none: "none are sent",
  }[form];
  if (trends !== "auto") return `${sent} (--trends ${trends})`;
  return preflight ? sent : `${sent} (--no-preflight)`;
}
