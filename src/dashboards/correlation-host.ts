/**
 * Correlation's rows of the hosts: CPU, memory, disk, network. Metrics are node_exporter's.
 */
import { app, graph, host, rate, row } from "./correlation-row.ts";
import type { Section } from "./dashboard.ts";
import { named } from "./panel.ts";
import { ofRun } from "./promql.ts";

/** What processes say of themselves: those of the application, and Plimsoll's for the run; no others are scraped for it. */
function ofProcesses(series: string, sum: (series: string, by: string) => string): string {
  return [app, ofRun].map((matcher) => sum(`${series}{${matcher}}`, "job, instance")).join(" or ");
}

export function hostCpuRow(): Section {
  return row("Host CPU", [
    graph(
      "Cores in use",
      "Use and limit: cores that are busy, by mode, and how many there are. If use is at the limit, whatever else is slow is slow because of it.",
      "none",
      [
        {
          expr: `sum by (mode) (rate(node_cpu_seconds_total{${host}, mode!~"idle|iowait"}[$__rate_interval]))`,
          legend: "{{mode}}",
        },
        {
          expr: `count(node_cpu_seconds_total{${host}, mode="idle"})`,
          legend: "limit",
        },
      ],
      {
        stacked: true,
        compactLegend: true,
        overrides: [
          named("limit", {
            "custom.stacking": { mode: "none" },
            "custom.fillOpacity": 0,
            "custom.lineStyle": { fill: "dash", dash: [6, 4] },
          }),
        ],
      },
    ),
    graph(
      "CPU pressure",
      "Waiting: share of the time in which some process wanted a core and had none (PSI). If it is above 0.5, add cores or take load off.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_cpu_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "{{instance}}",
        },
      ],
      { max: 1, thresholds: [0.5, 0.8] },
    ),
    graph(
      "Processes' CPU",
      "Cores that each process of the application uses, and Plimsoll where it is scraped. If one stands out, profile it.",
      "none",
      [{ expr: ofProcesses("process_cpu_seconds_total", rate), legend: "{{job}} {{instance}}" }],
      { compactLegend: true },
    ),
  ]);
}

export function hostMemoryRow(): Section {
  return row("Host memory", [
    graph(
      "Memory and its limit",
      "Use and limit. If use comes near the limit, the kernel drops caches, then swaps, then kills.",
      "bytes",
      [
        {
          expr: `sum by (instance) (node_memory_MemTotal_bytes{${host}} - node_memory_MemAvailable_bytes{${host}})`,
          legend: "used {{instance}}",
        },
        {
          expr: `sum by (instance) (node_memory_MemTotal_bytes{${host}})`,
          legend: "limit {{instance}}",
        },
      ],
    ),
    graph(
      "Memory pressure",
      "Waiting: share of the time in which some process waited for a page (PSI). If it is above 0.1, memory is short.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_memory_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "{{instance}}",
        },
      ],
      { thresholds: [0.05, 0.1] },
    ),
    graph(
      "Memory of processes",
      "Resident memory of each process of the application, and of Plimsoll where it is scraped. If one only grows, it leaks.",
      "bytes",
      [
        {
          expr: ofProcesses(
            "process_resident_memory_bytes",
            (series, by) => `sum by (${by}) (${series})`,
          ),
          legend: "{{job}} {{instance}}",
        },
      ],
      { compactLegend: true },
    ),
  ]);
}

export function diskRow(): Section {
  return row("Host disk", [
    graph(
      "Busy",
      "Use: share of the time in which the device had something to do; 1 is the limit of a single disk, not of an array. If it is at 1 in the slow time, see who writes.",
      "percentunit",
      [
        {
          expr: `max by (instance, device) (rate(node_disk_io_time_seconds_total{${host}}[$__rate_interval])) > 0.001`,
          legend: "{{instance}} {{device}}",
        },
      ],
      { max: 1 },
    ),
    graph(
      "Disk pressure",
      "Waiting: share of the time in which some process waited for the disk (PSI), and the mean number of requests in the device's queue (right scale). If it is above 0.3, commits and scans are slow.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_io_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "pressure {{instance}}",
        },
        {
          expr: `sum by (instance) (rate(node_disk_io_time_weighted_seconds_total{${host}}[$__rate_interval]))`,
          legend: "queue {{instance}}",
        },
      ],
      { thresholds: [0.1, 0.3], right: { fields: "/^queue/", unit: "none" } },
    ),
    graph(
      "Read and written",
      "Bytes per second. If writes rise with the latency, find out whether they are the database's: its log, its checkpoints, temporary files.",
      "Bps",
      [
        { expr: rate(`node_disk_read_bytes_total{${host}}`), legend: "read" },
        { expr: rate(`node_disk_written_bytes_total{${host}}`), legend: "written" },
      ],
    ),
  ]);
}

export function networkRow(): Section {
  const device = 'device!~"lo|veth.*|docker.*|br-.*"';
  return row(
    "Host network",
    [
      graph(
        "Received and sent",
        "Use and limit: bytes per second by all devices of a host but its own loops and bridges, and the speed of its lines, where they have one; virtual ones do not. If use is near the limit, the network is what is slow.",
        "Bps",
        [
          {
            expr: rate(`node_network_receive_bytes_total{${host}, ${device}}`, "instance"),
            legend: "received {{instance}}",
          },
          {
            expr: rate(`node_network_transmit_bytes_total{${host}, ${device}}`, "instance"),
            legend: "sent {{instance}}",
          },
          {
            expr: `sum by (instance) (node_network_speed_bytes{${host}, ${device}} > 0)`,
            legend: "limit {{instance}}",
          },
        ],
      ),
      graph(
        "Connections",
        "TCP connections that are open, and those that are closed and kept for a while. If time_wait grows into the ten thousands, clients do not reuse their connections.",
        "none",
        [
          { expr: `sum(node_netstat_Tcp_CurrEstab{${host}})`, legend: "open" },
          { expr: `sum(node_sockstat_TCP_tw{${host}})`, legend: "time_wait" },
        ],
      ),
      graph(
        "Segments sent again, connections refused",
        "Waiting: each segment sent again costs a client at least 200 ms. If it rises in the slow time, packets are lost; if connections overflow, the application accepts too slowly.",
        "ops",
        [
          { expr: rate(`node_netstat_Tcp_RetransSegs{${host}}`), legend: "sent again" },
          {
            expr: rate(`node_netstat_TcpExt_ListenOverflows{${host}}`),
            legend: "listen queue full",
          },
        ],
        { softMax: 1 },
      ),
    ],
    true,
  );
}
