/**
 * One iteration of one request: over before the first push interval is.
 *
 * Environment: BASE_URL (the shop).
 */
import http from "k6/http";
import { check } from "k6";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

export const options = { vus: 1, iterations: 1 };

export default function () {
  check(http.get(`${baseUrl}/products/1`), { "answers 200": ({ status }) => status === 200 });
}
