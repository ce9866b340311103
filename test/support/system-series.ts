/**
 * What exporters and an application would have been scraped for, every five seconds of a time: a CPU that is busier
 * and busier, a pool that fills up, and one of everything else that the dashboards ask for.
 */
import type { WrittenSeries } from "./write-series.ts";

const everyMs = 5_000;

/** A course over the time: from 0 at its beginning to 1 at its end, and the seconds since. */
type Course = (done: number, seconds: number) => number;

interface Shape {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly course: Course;
}

const node = { job: "node", instance: "host-1:9100" };
const app = { job: "shop", instance: "shop:8080" };
const database = { job: "postgres", instance: "db:9187" };
const pool = { ...app, db_client_connection_pool_name: "shop" };
const requests = {
  ...app,
  http_request_method: "GET",
  http_route: "/products",
  http_response_status_code: "200",
};

const shapes: readonly Shape[] = [
  { name: "node_uname_info", labels: node, course: () => 1 },
  {
    name: "node_cpu_seconds_total",
    labels: { ...node, cpu: "0", mode: "idle" },
    // Its rate falls from 1 to 0.
    course: (done, seconds) => seconds * (1 - done / 2),
  },
  { name: "node_memory_MemTotal_bytes", labels: node, course: () => 8e9 },
  { name: "node_memory_MemAvailable_bytes", labels: node, course: (done) => 6e9 - 2e9 * done },
  {
    name: "node_disk_io_time_seconds_total",
    labels: { ...node, device: "sda" },
    course: (_, seconds) => seconds * 0.2,
  },
  ...["receive", "transmit"].map((direction) => ({
    name: `node_network_${direction}_bytes_total`,
    labels: { ...node, device: "eth0" },
    course: (_: number, seconds: number) => seconds * 1e5,
  })),
  ...["0.1", "1", "+Inf"].map((le, index) => ({
    name: "http_server_request_duration_seconds_bucket",
    labels: { ...requests, le },
    course: (_: number, seconds: number) => seconds * (20 + 10 * index),
  })),
  {
    name: "http_server_request_duration_seconds_count",
    labels: requests,
    course: (_, seconds) => seconds * 40,
  },
  {
    name: "db_client_connection_count",
    labels: { ...pool, db_client_connection_state: "used" },
    course: (done) => Math.round(10 * done),
  },
  { name: "db_client_connection_max", labels: pool, course: () => 10 },
  {
    name: "db_client_connection_pending_requests",
    labels: pool,
    course: (done) => Math.round(30 * done * done),
  },
  { name: "pg_up", labels: database, course: () => 1 },
  {
    name: "pg_stat_activity_count",
    labels: { ...database, datname: "shop", state: "active", wait_event_type: "Lock" },
    course: (done) => Math.round(4 * done),
  },
];

/** Start and end included; scraped first at the start, to the millisecond. */
export function systemSeries(startMs: number, endMs: number): WrittenSeries[] {
  const timesMs: number[] = [];
  for (let timeMs = startMs; timeMs <= endMs; timeMs += everyMs) timesMs.push(timeMs);
  return shapes.map(({ name, labels = {}, course }) => ({
    name,
    labels,
    points: timesMs.map((timeMs): [number, number] => [
      timeMs,
      course((timeMs - startMs) / (endMs - startMs), (timeMs - startMs) / 1_000),
    ]),
  }));
}
