/** What docker-compose.yml, its override and the Dockerfile promise: pinned, hardened, documented, closed to others. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), "utf8");

interface Service {
  readonly image: string;
  readonly build?: object;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly command?: string | readonly string[];
  readonly healthcheck?: object;
  readonly profiles?: readonly string[];
}
const files = ["docker-compose.yml", "docker-compose.publish.yml"];
const services = Object.entries<Service>(
  parse(read("docker-compose.yml"), { merge: true }).services,
);

/** A release to its last digit, with what the image's maker puts before and after it. */
const exactTag = /:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/;

describe("docker-compose.yml", () => {
  it.each(services)("pins, limits and restarts %s", (name, service) => {
    if (service.build) expect(service.image).toMatch(/:local$/);
    else expect(service.image).toMatch(exactTag);
    expect(service.mem_limit).toBeDefined();
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    // A load test that ran is over.
    expect(service.restart).toBe(name === "load" ? undefined : "unless-stopped");
  });

  it.each(services)(
    "publishes %s on the loopback address alone, if at all",
    (_, { ports = [] }) => {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/);
    },
  );

  it.each(services)("mounts into %s what is there, read-only", (_, { volumes = [] }) => {
    for (const volume of volumes) {
      const [source = "", , mode] = volume.split(":");
      if (!/^[./]/.test(source)) continue;
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(mode).toMatch(/^ro\b/);
    }
  });

  it.each(services)("has no password on a command line of %s", (_, { command, healthcheck }) => {
    // `$$` is the container's own variable.
    expect(JSON.stringify([command, healthcheck])).not.toMatch(/(?<!\$)\$\{\w*PASSWORD/);
  });

  it("has a health check for everything that something else waits for", () => {
    const text = read("docker-compose.yml");
    const waitedFor = [...text.matchAll(/(\w[\w-]*): \{ condition: service_healthy \}/g)].map(
      ([, name]) => name,
    );
    expect(waitedFor.length).toBeGreaterThan(5);
    const checked = services.filter(([, { healthcheck }]) => healthcheck).map(([name]) => name);
    for (const name of waitedFor) expect(checked).toContain(name);
  });
});

describe(".env.example", () => {
  it("has every variable of the Compose files, with its default, and no other", () => {
    const used = new Map<string, string>();
    for (const file of files) {
      const uncommented = read(file).replaceAll(/^\s*#.*$/gm, "");
      for (const [, name = "", value = ""] of uncommented.matchAll(
        /\$\{([A-Z_]+):[-?]([^}]*)\}/g,
      )) {
        used.set(name, /^[\w.:/]*$/.test(value) ? value : "");
      }
    }
    const documented = new Map<string, string>();
    for (const [, name = "", value = ""] of read(".env.example").matchAll(/^#([A-Z_]+)=(.*)$/gm)) {
      // Compose's own, and what they are chosen with.
      if (!["COMPOSE_FILE", "COMPOSE_PROFILES", "PROMETHEUS_CONFIG"].includes(name))
        documented.set(name, value);
    }
    used.delete("PROMETHEUS_CONFIG");
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(used));
  });
});

describe("Dockerfile", () => {
  it("begins with exact tags, and copies only what .dockerignore lets through", () => {
    const text = read("Dockerfile");
    const images = [...text.matchAll(/^FROM (\S+:\S+) AS/gm)].map(([, image = ""]) => image);
    expect(images.length).toBeGreaterThan(1);
    for (const image of images) expect(image).toMatch(exactTag);
    const allowed = [...read(".dockerignore").matchAll(/^!(.*)$/gm)].map(([, name = ""]) => name);
    const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = ""]) =>
      names.replaceAll("*", "").split(" "),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const name of copied) {
      expect(allowed).toContain(name.split("/")[0]);
      expect(existsSync(join(root, name)), name).toBe(true);
    }
  });
});
