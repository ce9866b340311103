/** What the tests have k6 run against a server of ours: ends as ENDS says. */
import exec from "k6/execution";
import http from "k6/http";
import { check, sleep } from "k6";

const thresholds = {
  "fails a threshold": { http_reqs: ["count<1"], "checks{check:answers 200}": ["rate>0.9"] },
  "aborts on a threshold": { http_reqs: [{ threshold: "count<1", abortOnFail: true }] },
};

export const options = {
  scenarios: {
    shoppers: {
      executor: "constant-vus",
      vus: Number(__ENV.VUS || 2),
      duration: __ENV.DURATION || "3s",
      gracefulStop: "2s",
    },
  },
  setupTimeout: "1s",
  thresholds: thresholds[__ENV.ENDS] || { http_req_failed: ["rate<0.1"] },
  cloud: { name: __ENV.TEST, note: "from a test", ...(__ENV.TOKEN && { token: __ENV.TOKEN }) },
};

export function setup() {
  http.get(`${__ENV.BASE_URL}/products`);
  if (__ENV.ENDS === "throws") throw new Error("the script is wrong");
  if (__ENV.ENDS === "takes too long in setup()") sleep(30);
}

export default function () {
  const response = http.get(`${__ENV.BASE_URL}/products`);
  check(response, { "answers 200": ({ status }) => status === 200 });
  // oxlint-disable-next-line no-console -- k6 pushes it as the run's log
  if (__ITER === 0) console.log(`first iteration of ${__VU}`);
  if (__ENV.ENDS === "calls test.abort()" && __ITER === 20) exec.test.abort("seen enough");
  if (__ENV.ENDS === "calls test.fail()") exec.test.fail("not good enough");
  sleep(Number(__ENV.PAUSE || 0.05));
}
