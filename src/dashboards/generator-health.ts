/**
 * Panels of the processes that make the load, as Plimsoll measures them itself: on Run, because a saturated generator
 * measures its own queue, and on Pipeline, because it delivers late.
 */
import { timeseries, type Panel } from "./panel.ts";
import { ofRun, once } from "./promql.ts";

/** The series of `withGenerator`. */
export const generatorLegend = "{{generator}}";

/**
 * With the label `generator`: its id and zone, or that it is the only one. Grafana shows the name of a label that is not
 * there.
 */
export function withGenerator(expr: string): string {
  const joined = `label_join(${expr}, "generator", " ", "instance_id", "load_zone")`;
  return `label_replace(${joined}, "generator", "the generator", "generator", " ")`;
}

const byGenerator = "by (instance_id, load_zone)";
const cpuSeconds = once(`rate(plimsoll_generator_cpu_seconds_total{${ofRun}}[$__rate_interval])`, [
  "process",
]);

export function generatorHealth(noValue: string): Panel[] {
  return [
    timeseries({
      title: "CPU of the generator",
      description:
        "Share of its cores that k6 and Plimsoll use together. If it is over 0.8, durations begin to hold the generator's own queue, and over 0.9 the run's report says so: use a stronger machine, several of them, or less load.",
      unit: "percentunit",
      min: 0,
      max: 1,
      thresholds: [0.8, 0.9],
      noValue,
      queries: [
        {
          expr: withGenerator(
            `sum ${byGenerator} (${cpuSeconds}) / ${once(`plimsoll_generator_cpus{${ofRun}}`)}`,
          ),
          legend: `used by ${generatorLegend}`,
        },
      ],
    }),
    timeseries({
      title: "CPU by process",
      description:
        "Cores in use, by k6 and by Plimsoll. If Plimsoll's is near 1, it reads as fast as it can: fewer samples per second, or several generators.",
      unit: "none",
      min: 0,
      noValue,
      queries: [{ expr: withGenerator(cpuSeconds), legend: `{{process}} of ${generatorLegend}` }],
    }),
    timeseries({
      title: "Memory by process",
      description:
        "Resident memory: k6's goes with VUs and what the script keeps, Plimsoll's with the number of series. If Plimsoll's grows for the whole run, so do they: give requests a name in the script.",
      unit: "bytes",
      min: 0,
      noValue,
      queries: [
        {
          expr: withGenerator(
            once(`plimsoll_generator_resident_memory_bytes{${ofRun}}`, ["process"]),
          ),
          legend: `{{process}} of ${generatorLegend}`,
        },
      ],
    }),
    timeseries({
      title: "Event-loop delay of Plimsoll",
      description:
        "How late its timers fire, p99. If it is above a second, reading holds up sending: the lag grows with it.",
      unit: "s",
      min: 0,
      noValue,
      queries: [
        {
          expr: withGenerator(once(`plimsoll_generator_event_loop_delay_seconds{${ofRun}}`)),
          legend: `p99 of ${generatorLegend}`,
        },
      ],
    }),
  ];
}
