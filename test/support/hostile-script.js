/**
 * A script whose every text is what an attacker, or a very unlucky colleague, would write: HOSTILE is put wherever k6 takes
 * any text, and a megabyte stands in the comment that the test puts behind this.
 */
import exec from "k6/execution";
import http from "k6/http";
import { check, group, sleep } from "k6";

const { HOSTILE, BASE_URL, TEST } = __ENV;

export const options = {
  vus: 1,
  iterations: 5,
  tags: { hostile: HOSTILE, [HOSTILE]: "as a name" },
  thresholds: { http_req_failed: ["rate<0.1"] },
  cloud: { name: TEST, note: HOSTILE },
};

export default function () {
  group(HOSTILE, () => {
    const response = http.get(`${BASE_URL}/products`, { tags: { name: HOSTILE } });
    check(response, { [HOSTILE]: ({ status }) => status === 200 });
  });
  // oxlint-disable no-console -- k6 pushes it as the run's log
  console.log(HOSTILE);
  console.warn("w".repeat(1_000_000));
  // oxlint-enable no-console
  sleep(0.2);
  if (exec.scenario.iterationInTest === 4) exec.test.abort(HOSTILE);
}
