/**
 * Scenarios with different executors, each with tags of its own. The arrival rate of `rush` is more than
 * its VUs can serve, and `backlog` is cut short, so iterations are dropped and interrupted.
 *
 * Environment: BASE_URL (the shop), DURATION (default 3s).
 */
import http from "k6/http";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";
const duration = __ENV.DURATION || "3s";

export const options = {
  scenarios: {
    rush: {
      executor: "constant-arrival-rate",
      exec: "slow",
      rate: 60,
      timeUnit: "1s",
      duration,
      preAllocatedVUs: 2,
      maxVUs: 3,
      tags: { team: "search", tier: "1" },
    },
    crowd: {
      executor: "ramping-vus",
      exec: "browse",
      startVUs: 1,
      stages: [{ duration, target: 4 }],
      gracefulRampDown: "1s",
      tags: { team: "catalogue" },
    },
    backlog: {
      executor: "shared-iterations",
      exec: "slow",
      vus: 2,
      iterations: 10_000,
      maxDuration: duration,
      gracefulStop: "0s",
      env: { NOTE: "backlog" },
    },
  },
};

export function slow() {
  http.get(`${baseUrl}/slow`, { tags: { note: __ENV.NOTE || "" } });
}

export function browse() {
  http.get(`${baseUrl}/products`);
}
