import { expect, it } from "vitest";
import { redactUrl } from "../../../src/config/redact-url.ts";

it.each([
  ["http://prom:9090/api/v1/write", "http://prom:9090/api/v1/write"],
  ["https://ann:s3cret@prom/w", "https://********@prom/w"],
  ["https://s3cret@prom/w", "https://********@prom/w"],
  ["http://prom/w?token=s3cret#s3cret", "http://prom/w?********"],
  ["ftp://ann:s3cret@prom/w", "ftp://********@prom/w"],
  ["ann:s3cret@prom", "********@prom"],
  ["http://ann:s3c/ret@prom:port/w", "http://********@prom:port/w"],
  ["prom/w?token=s3cret", "prom/w?********"],
  ["localhost:9090", "localhost:9090"],
])("shows %j as %j", (text, shown) => {
  expect(redactUrl(text)).toBe(shown);
});
