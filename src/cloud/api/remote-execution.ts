/**
 * The answer to k6 where it asks this server to make the load: not here, and what to type instead.
 *
 * k6 prints it and ends, because it is the answer to the first request of `k6 cloud run` and of `k6 cloud upload`, in
 * each of its APIs. A status of 5xx would make k6 try again before it prints.
 */
import { ApiError } from "./errors.ts";

export function refuseRemoteExecution(): never {
  throw new ApiError(
    405,
    "this server does not run tests itself; run it on your machine and send the results here: " +
      "k6 cloud run --local-execution SCRIPT, or k6 run --out cloud SCRIPT",
  );
}
