/**
 * Panels of the processes that make the load, as Plimsoll measures them itself: on Run, because a saturated generator
 * measures its own queue, and on Pipeline, because it delivers late.
 */
import { timeseries, type Panel } from "./panel.ts";
import { ofRun, once } from "./promql.ts";

/** Of a series of one generator; empty for a generator without tags. */
export const generatorLegend = "{{instance_id}} {{load_zone}}";

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
          expr: `sum ${byGenerator} (${cpuSeconds}) / ${once(`plimsoll_generator_cpus{${ofRun}}`)}`,
          legend: `used ${generatorLegend}`,
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
      queries: [{ expr: cpuSeconds, legend: `{{process}} ${generatorLegend}` }],
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
          expr: once(`plimsoll_generator_resident_memory_bytes{${ofRun}}`, ["process"]),
          legend: `{{process}} ${generatorLegend}`,
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
          expr: once(`plimsoll_generator_event_loop_delay_seconds{${ofRun}}`),
          legend: `p99 ${generatorLegend}`,
        },
      ],
    }),
  ];
}
