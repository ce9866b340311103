/**
 * Tags that k6 takes and Prometheus does not, or not as they are: names with dots, dashes, spaces and
 * Unicode, reserved names, names that collide once they are sanitised; values that are empty, very long,
 * or hold quotes, newlines and backslashes.
 *
 * Environment: BASE_URL (the shop).
 */
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

const loads = new Counter("loads");
const depth = new Trend("depth");

export const options = { vus: 1, iterations: 3, tags: { "run.label": "odd tags" } };

const oddTags = [
  { "my.tag": "dots", "my-tag": "dashes", "my tag": "spaces" },
  { "col.lide": "first", col_lide: "second", "col-lide": "third" },
  { ключ: "кириллица", 键: "值", "😀": "😀", ñandú: "é" },
  { "1st": "leading digit", 42: "only digits", "": "empty name" },
  { __name__: "k6_stolen_total", __address__: "reserved", le: "0.5", quantile: "0.9" },
  { job: "not-ours", instance: "not-ours", testid: "not-ours", test: "not-ours" },
  { Zone: "upper case", zone: "lower case", "a:b": "colon", "a/b": "slash" },
  { empty: "", blank: " ", number: 1.5, yes: true, no: false },
  { quoted: 'say "ahoy"', lines: "first\nsecond\r\n\tthird", back: "C:\\hold\\new", nul: "\u0000" },
  { markup: "<b>&amp;</b>", separator: "\u2028\u2029", brace: '{a="b"}', group: "::fake::group" },
  { long: "x".repeat(10_000), ["n".repeat(300)]: "long name" },
];

export default function () {
  for (const tags of oddTags) {
    loads.add(1, tags);
    depth.add(__ITER, tags);
  }
  http.get(`${baseUrl}/products?sort=price&page=1#top`, { tags: { "my.tag": "dots", empty: "" } });
}
