/**
 * Nested groups, checks that pass and checks that fail, thresholds on submetrics; one of them fails where
 * FAIL_THRESHOLD is set (k6 then exits with 99).
 *
 * Environment: BASE_URL (the shop), ITERATIONS (default 20), FAIL_THRESHOLD.
 */
import http from "k6/http";
import { check, group } from "k6";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

export const options = {
  vus: 4,
  iterations: Number(__ENV.ITERATIONS || 20),
  thresholds: {
    "checks{check:answers 200}": ["rate==1"],
    "checks{kind:strict}": [__ENV.FAIL_THRESHOLD ? "rate>0.99" : "rate<0.99"],
    "http_req_duration{group:::shop::details}": ["p(95)<1000", "max<2000"],
    "group_duration{group:::shop}": ["avg<2000"],
    "http_reqs{status:404}": ["count>0"],
  },
};

export default function () {
  group("shop", () => {
    const list = http.get(`${baseUrl}/products`);
    check(list, { "answers 200": ({ status }) => status === 200 });

    group("details", () => {
      const product = http.get(`${baseUrl}/products/${1 + (__ITER % 8)}`, {
        tags: { name: "product" },
      });
      check(product, {
        "answers 200": ({ status }) => status === 200,
        // True for three of the eight products, so this check both passes and fails.
        "costs over 100": (response) => response.json("priceCents") > 10_000,
      });

      group("reviews: 100 % = all/none?", () => {
        const missing = http.get(`${baseUrl}/products/reviews`);
        check(missing, { "has reviews": ({ status }) => status === 200 }, { kind: "strict" });
      });
    });
  });
}
