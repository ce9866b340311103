/**
 * What the shop measures about itself, in Prometheus' text format at `GET /metrics`.
 *
 * Names and labels are those of OpenTelemetry's semantic conventions as Prometheus spells them; prom-client's default
 * metrics (CPU, memory, event-loop lag, garbage collection) are among them. `/metrics`, `/healthz` and `/faults` are not
 * measured, so that the request count equals what a load test sent.
 */
import { performance } from "node:perf_hooks";
import v8 from "node:v8";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** In seconds, from a millisecond to longer than any wait for a connection. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const pool = { db_client_connection_pool_name: "shop" };
const poolLabels = Object.keys(pool);

/** @typedef {ReturnType<typeof createMetrics>} Metrics */
/** @typedef {ReturnType<typeof createDatabaseMetrics>} DatabaseMetrics */

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const histogram = (name, help, labelNames) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  const gauge = (name, help, labelNames = [], collect) =>
    new Gauge({ name, help, labelNames, registers, ...(collect && { collect }) });
  const counter = (name, help, labelNames, collect) =>
    new Counter({ name, help, labelNames, registers, ...(collect && { collect }) });

  const serverDuration = histogram(
    "http_server_request_duration_seconds",
    "Time from a request's headers to the end of the response",
    ["http_request_method", "http_route", "http_response_status_code"],
  );
  const serverActive = gauge("http_server_active_requests", "Requests that the shop is answering");
  serverActive.set(0);

  const clientDuration = histogram(
    "http_client_request_duration_seconds",
    "Time that a call to another service took",
    ["server_address", "http_request_method", "http_response_status_code"],
  );
  const clientActive = gauge("http_client_active_requests", "Calls to another service under way", [
    "server_address",
  ]);
  clientActive.set({ server_address: "payments" }, 0);

  counter(
    "nodejs_eventloop_time_seconds_total",
    "Time that the event loop was running code (active) or waiting for something to do (idle)",
    ["nodejs_eventloop_state"],
    function () {
      const times = performance.eventLoopUtilization();
      this.reset();
      for (const state of ["active", "idle"]) {
        this.inc({ nodejs_eventloop_state: state }, times[state] / 1_000);
      }
    },
  );
  gauge("v8js_memory_heap_limit_bytes", "What the heap may grow to", [], function () {
    this.set(v8.getHeapStatistics().heap_size_limit);
  });

  return {
    /** Measures one request; `routeOf` is asked at the end, when the route is known. */
    observe(request, response, routeOf) {
      serverActive.inc();
      const end = serverDuration.startTimer({ http_request_method: request.method });
      response.once("close", () => {
        serverActive.dec();
        end({ http_route: routeOf(), http_response_status_code: String(response.statusCode) });
      });
    },

    /** Measures a call to another service. @param {() => Promise<number>} call gives the status */
    async timeCall({ server, method }, call) {
      clientActive.inc({ server_address: server });
      const end = clientDuration.startTimer({
        server_address: server,
        http_request_method: method,
      });
      let status;
      try {
        return (status = await call());
      } finally {
        clientActive.dec({ server_address: server });
        // Without an answer there is no status.
        end({ http_response_status_code: String(status ?? "") });
      }
    },

    /** Only for a shop that has one: the series of a pool that is not there would say that it is idle. */
    ofDatabase: () => createDatabaseMetrics({ histogram, gauge, counter }),

    /** @param {() => Iterable<[name: string, isActive: boolean]>} read asked at each scrape */
    observeFaults(read) {
      gauge("shop_fault_active", "1 while a fault is switched on", ["fault"], function () {
        for (const [fault, isActive] of read()) this.set({ fault }, isActive ? 1 : 0);
      });
    },

    contentType: registry.contentType,
    /** @returns {Promise<string>} */
    text: () => registry.metrics(),
  };
}

function createDatabaseMetrics({ histogram, gauge, counter }) {
  const waitTime = histogram(
    "db_client_connection_wait_time_seconds",
    "Time until a connection was obtained from the pool, or was given up",
    poolLabels,
  );
  const useTime = histogram(
    "db_client_connection_use_time_seconds",
    "Time from obtaining a connection to giving it back",
    poolLabels,
  );
  const timeouts = counter(
    "db_client_connection_timeouts_total",
    "Requests for a connection that were given up",
    poolLabels,
  );
  timeouts.inc(pool, 0);
  const operations = histogram(
    "db_client_operation_duration_seconds",
    "Time that a statement took, as the shop saw it",
    ["db_operation_name"],
  );

  return {
    /** @param {() => { max: number, used: number, idle: number, pending: number }} read asked at each scrape */
    observePool(read) {
      gauge(
        "db_client_connection_max",
        "Connections that the pool may have",
        poolLabels,
        function () {
          this.set(pool, read().max);
        },
      );
      gauge(
        "db_client_connection_count",
        "Connections that the pool has",
        [...poolLabels, "db_client_connection_state"],
        function () {
          const { used, idle } = read();
          this.set({ ...pool, db_client_connection_state: "used" }, used);
          this.set({ ...pool, db_client_connection_state: "idle" }, idle);
        },
      );
      gauge(
        "db_client_connection_pending_requests",
        "Requests that wait for a connection",
        poolLabels,
        function () {
          this.set(pool, read().pending);
        },
      );
    },

    async timeWait(acquire) {
      const end = waitTime.startTimer(pool);
      try {
        return await acquire();
      } catch (error) {
        if (isAcquireTimeout(error)) timeouts.inc(pool);
        throw error;
      } finally {
        end();
      }
    },

    /** @returns what to call when the connection is given back */
    startUse: () => useTime.startTimer(pool),

    async timeOperation(name, run) {
      const end = operations.startTimer({ db_operation_name: name });
      try {
        return await run();
      } finally {
        end();
      }
    },
  };
}

/** pg-pool gives this error no code. */
export function isAcquireTimeout(error) {
  return error instanceof Error && error.message === "timeout exceeded when trying to connect";
}
