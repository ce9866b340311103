import { expect, it } from "vitest";
import {
  dockerMetricsAddress,
  parseContainers,
  toComposeVariables,
} from "../../../src/stack/docker-stack.ts";

it("gives Compose only the variables that were asked for", () => {
  expect(toComposeVariables({})).toEqual({});
  expect(toComposeVariables({ portOffset: 100, retention: "90d" })).toEqual({
    PROMETHEUS_PORT: "9190",
    GRAFANA_PORT: "3100",
    SHOP_PORT: "8180",
    PROMETHEUS_RETENTION: "90d",
  });
  expect(() => toComposeVariables({ scrapeInterval: "1s" })).toThrow("--native");
});

it("knows the host's address in the stack's network, where Docker's host is this machine", () => {
  expect(dockerMetricsAddress({}, "linux")).toBe("172.30.99.1:9464");
  expect(dockerMetricsAddress({ STACK_GATEWAY: "10.1.0.1" }, "linux")).toBe("10.1.0.1:9464");
  expect(dockerMetricsAddress({}, "darwin")).toBeUndefined();
});

const prometheus = {
  Service: "prometheus",
  Image: "prom/prometheus:v3.15.0",
  State: "running",
  Health: "healthy",
  ExitCode: 0,
  Publishers: [
    { URL: "", TargetPort: 9091, PublishedPort: 0, Protocol: "tcp" },
    { URL: "127.0.0.1", TargetPort: 9090, PublishedPort: 9190, Protocol: "tcp" },
  ],
};
const parsed = { name: "prometheus", state: "up", version: "3.15.0", address: "127.0.0.1:9190" };

it.each([
  ["a line for each", `${JSON.stringify(prometheus)}\n${JSON.stringify(prometheus)}\n`],
  ["one array, before Compose 2.21", JSON.stringify([prometheus, prometheus])],
])("reads containers as %s", (_, text) => {
  expect(parseContainers(text)).toEqual([parsed, parsed]);
});

it.each([
  [{ State: "running", Health: "" }, "up"],
  [{ State: "running", Health: "starting" }, "silent"],
  [{ State: "running", Health: "unhealthy" }, "silent"],
  [{ State: "exited", Health: "", ExitCode: 0 }, "up"],
  [{ State: "exited", Health: "", ExitCode: 137 }, "ended"],
  [{ State: "restarting", Health: "", ExitCode: 1 }, "ended"],
])("takes a container that is %j for %s", (container, state) => {
  const text = JSON.stringify({ ...prometheus, ...container, Publishers: null });
  expect(parseContainers(text)).toMatchObject([{ state }]);
});
