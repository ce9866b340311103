/** The output writes into a Prometheus in a container, as testcontainers starts it. */
import { fileURLToPath } from "node:url";
import { GenericContainer, Wait } from "testcontainers";
import { expect, it, vi } from "vitest";
import { compose, describeWithEngine } from "../support/containers.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { createQueryApi } from "../support/query-api.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";

const recorded = fileURLToPath(new URL("../golden/k6/v2.2.0.jsonl", import.meta.url));

/** The very image of docker-compose.yml. */
async function prometheusImage(): Promise<string> {
  const { stdout } = await compose(["config", "--format=json"]);
  const config: { services: { prometheus: { image: string } } } = JSON.parse(stdout);
  return config.services.prometheus.image;
}

describeWithEngine("the output, with testcontainers", (dockerHost) => {
  it("delivers a recorded run to a Prometheus in a container", async () => {
    vi.stubEnv("DOCKER_HOST", dockerHost);
    // There is no image of its janitor here, and the bridge's address is not what our ports are published on.
    vi.stubEnv("TESTCONTAINERS_RYUK_DISABLED", "true");
    vi.stubEnv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1");
    await using prometheus = await new GenericContainer(await prometheusImage())
      .withCopyContentToContainer([
        {
          target: "/tmp/prometheus.yml",
          content: "storage: { tsdb: { out_of_order_time_window: 10y } }\n",
        },
      ])
      .withCommand([
        "--config.file=/tmp/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        "--web.enable-remote-write-receiver",
      ])
      .withExposedPorts(9090)
      .withWaitStrategy(Wait.forHttp("/-/ready", 9090))
      .start();
    const url = `http://${prometheus.getHost()}:${prometheus.getMappedPort(9090)}`;
    await using folder = await createTemporaryFolder();

    const out = `--out=prometheus-rw=${url}/api/v1/write`;
    const { exitCode, stderr } = await runPlimsoll(
      ["ingest", recorded, "--testid=container", out],
      {
        folder: folder.path,
      },
    );

    expect(exitCode, stderr).toBe(0);
    const requests = 'sum(last_over_time(k6_http_reqs_total{testid="container"}[10y]))';
    const found = await createQueryApi(url).query(requests);
    expect(found).toEqual([{ metric: {}, value: 2 }]);
  });
});
