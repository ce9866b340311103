/**
 * What the shop measures about itself, in Prometheus' text format at `GET /metrics`.
 *
 * The default metrics of prom-client (CPU, memory, event-loop lag, garbage collection) are among them.
 * `/metrics` and `/healthz` are not measured, so that the request count equals what a load test sent.
 */
import { Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the request's headers to the end of the response",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: "http_requests_in_flight",
    help: "Requests that the shop is answering",
    registers: [registry],
  });

  return {
    /** Measures one request; `routeOf` is asked at the end, when the route is known. */
    observe(request, response, routeOf) {
      inFlight.inc();
      const end = duration.startTimer({ method: request.method });
      response.once("close", () => {
        inFlight.dec();
        end({ route: routeOf(), status: String(response.statusCode) });
      });
    },
    contentType: registry.contentType,
    /** @returns {Promise<string>} */
    text: () => registry.metrics(),
  };
}
