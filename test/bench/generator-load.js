/**
 * What k6 runs for `npm run bench -- generator`: a shop's pages by name, each answer checked, nothing else to do.
 *
 * `RATE` requests per second, or as many as go where it is 0.
 */
import { check } from "k6";
import http from "k6/http";

const { TARGET, VUS, SECONDS, RATE } = __ENV;
const endpoints = 20;

const closed = { executor: "constant-vus", vus: Number(VUS), duration: `${SECONDS}s` };
const open = {
  executor: "constant-arrival-rate",
  rate: Number(RATE),
  duration: `${SECONDS}s`,
  preAllocatedVUs: Number(VUS),
};

export const options = {
  discardResponseBodies: true,
  scenarios: { load: Number(RATE) > 0 ? open : closed },
};

export default function () {
  const id = __ITER % endpoints;
  const answer = http.get(`${TARGET}/products/${id}`, { tags: { name: `/products/${id}` } });
  check(answer, { "is 200": ({ status }) => status === 200 });
}
