/** Compose itself takes docker-compose.yml, with each profile, and refuses to publish Grafana without a password. */
import { describe, expect, it } from "vitest";
import { compose } from "../support/containers.ts";
import { describeWithTool } from "../support/tools.ts";

interface Port {
  readonly host_ip: string;
}
interface Config {
  readonly services: Readonly<Record<string, { readonly ports?: readonly Port[] }>>;
}

const both = ["--file=docker-compose.yml", "--file=docker-compose.publish.yml"];

async function config(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Config> {
  const { exitCode, stdout, stderr } = await compose([...args, "config", "--format=json"], { env });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** The services that listen beyond the loopback address. */
const published = ({ services }: Config): string[] =>
  Object.entries(services)
    .filter(([, { ports = [] }]) => ports.some((port) => port.host_ip !== "127.0.0.1"))
    .map(([name]) => name);

describeWithTool("docker-compose", "Compose", () => {
  it.each([
    [
      [],
      [
        "grafana",
        "node-exporter",
        "pgbouncer",
        "pgbouncer-exporter",
        "postgres",
        "postgres-exporter",
        "prometheus",
        "shop",
      ],
    ],
    [["k6"], ["load"]],
    [["mysql"], ["mysql", "mysqld-exporter"]],
    [["redis"], ["redis", "redis-exporter"]],
    [["victoriametrics"], ["victoriametrics"]],
    [["mimir"], ["mimir"]],
  ])("takes the profiles %j, and publishes none of it", async (profiles, added) => {
    const chosen = await config(profiles.map((profile) => `--profile=${profile}`));
    expect(Object.keys(chosen.services)).toEqual(expect.arrayContaining(added));
    expect(published(chosen)).toEqual([]);
  });

  describe("with docker-compose.publish.yml", () => {
    it("says which password it needs", async () => {
      const { exitCode, stderr } = await compose([...both, "config", "--quiet"]);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain("GRAFANA_PASSWORD");
    });

    it("publishes Grafana, and nothing else", async () => {
      const chosen = await config([...both, "--profile=*"], { GRAFANA_PASSWORD: "secret" });
      expect(published(chosen)).toEqual(["grafana"]);
      expect(chosen.services["grafana"]?.ports).toHaveLength(1);
    });
  });
});
