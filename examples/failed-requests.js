/**
 * Requests that fail in each way: 4xx, 5xx, a refused connection, a time-out; and ones that do not fail
 * although they look like it: redirects, and a 404 that is expected.
 *
 * Environment: BASE_URL (the shop), CLOSED_URL (nothing listens there), ITERATIONS (default 8).
 */
import http from "k6/http";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";
// Port 1 (tcpmux) is open on hardly any machine.
const closedUrl = __ENV.CLOSED_URL || "http://127.0.0.1:1";

export const options = {
  vus: 2,
  iterations: Number(__ENV.ITERATIONS || 8),
  thresholds: { http_req_failed: ["rate>0.5"], "http_reqs{status:0}": ["count>0"] },
};

export default function () {
  http.get(`${baseUrl}/products/404`, { tags: { name: "not found" } });
  http.post(`${baseUrl}/cart`, "not json", { tags: { name: "bad request" } });
  http.get(`${baseUrl}/recommendations`, { tags: { name: "unavailable" } });
  http.get(`${closedUrl}/`, { tags: { name: "refused" } });
  http.get(`${baseUrl}/slow`, { timeout: "5ms", tags: { name: "time-out" } });
  http.get(`${baseUrl}/catalogue`, { tags: { name: "redirect, followed" } });
  http.get(`${baseUrl}/catalogue`, { redirects: 0, tags: { name: "redirect, not followed" } });
  http.get(`${baseUrl}/products/404`, {
    responseCallback: http.expectedStatuses(404),
    tags: { name: "expected 404" },
  });
  http.get(`${baseUrl}/products/404`, { responseCallback: null, tags: { name: "not judged" } });
}
