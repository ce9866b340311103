/**
 * What happened when: marks on every panel of a dashboard.
 */
import { AnnotationQueryBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dataSource } from "./panel.ts";
import { ofRun } from "./promql.ts";

export interface AnnotationOptions {
  readonly name: string;
  /** Each sample of it is a mark; successive ones become a region. */
  readonly expr: string;
  readonly title: string;
  readonly text?: string;
  readonly color: string;
  /** Labels shown as tags, with commas between them. */
  readonly tags?: string;
  /** The mark is at the time that the value says, in milliseconds, not at the sample's. Default false. */
  readonly atValue?: boolean;
}

export function annotation(options: AnnotationOptions): AnnotationQueryBuilder {
  const { name, expr, title, text = "", color, tags = "", atValue = false } = options;
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(dataSource)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .titleFormat(title)
    .textFormat(text)
    .tagKeys(tags)
    .step("5s")
    .useValueForTime(atValue);
}

/** Start, end and state changes of the run that a dashboard shows, and what was found odd about it. */
export function runAnnotations(): readonly AnnotationQueryBuilder[] {
  return [
    annotation({
      name: "Run start",
      expr: `max by (testid, test) (plimsoll_run_start_time_seconds{${ofRun}}) * 1000`,
      title: "{{testid}} started",
      text: "{{test}}",
      color: "green",
      atValue: true,
    }),
    annotation({
      name: "Run end",
      expr: `max by (testid, test) (plimsoll_run_end_time_seconds{${ofRun}}) * 1000`,
      title: "{{testid}} ended",
      text: "{{test}}",
      color: "blue",
      atValue: true,
    }),
    annotation({
      name: "State",
      // 1 where it was not 1 before: the moment in which the run came into the state.
      expr: `max by (testid, state) (plimsoll_run_state{${ofRun}}) == 1 unless max by (testid, state) (plimsoll_run_state{${ofRun}} offset $__interval) == 1`,
      title: "{{state}}",
      text: "{{testid}}",
      color: "purple",
    }),
    annotation({
      name: "Anomaly",
      expr: `max by (signal, kind) (plimsoll_anomaly{${ofRun}}) > 0`,
      title: "{{signal}}",
      text: "{{kind}}",
      color: "red",
      tags: "signal,kind",
    }),
  ];
}
