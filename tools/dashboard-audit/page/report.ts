/**
 * What the audit says of a dashboard: the page makes it, the command prints it.
 */

export interface Finding {
  readonly kind: string;
  readonly message: string;
}

export interface ValueReport {
  readonly name: string;
  /** As formatted: the last value of a series, the first of a column. */
  readonly value: string;
  readonly unit: string;
  /** Of all values; empty where there are no numbers. */
  readonly min: string;
  readonly max: string;
}

export interface PanelReport {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly values: ValueReport[];
  /** What the panel says outside of what it draws on a canvas. */
  readonly text: string;
  readonly findings: Finding[];
}

export interface DashboardReport {
  readonly uid: string;
  readonly title: string;
  readonly variables: { readonly name: string; readonly value: string; readonly options: number }[];
  readonly annotations: { readonly name: string; readonly events: number }[];
  readonly panels: PanelReport[];
  readonly findings: Finding[];
}
