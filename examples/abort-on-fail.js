/**
 * A threshold that ends the run: half of the requests fail, and k6 aborts at its first evaluation (after
 * two seconds) with exit code 99.
 *
 * Environment: BASE_URL (the shop).
 */
import http from "k6/http";
import { sleep } from "k6";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

export const options = {
  vus: 3,
  duration: "1m",
  thresholds: { http_req_failed: [{ threshold: "rate<0.1", abortOnFail: true }] },
};

export default function () {
  http.get(`${baseUrl}/products`);
  http.get(`${baseUrl}/recommendations`);
  sleep(0.05);
}
