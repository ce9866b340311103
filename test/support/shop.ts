/** `examples/shop` as a process on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Shop extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  /** The sum of a metric's series that have all of these labels; 0 where there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export interface ShopOptions {
  /** Default: its data is in memory. */
  readonly databaseUrl?: string;
  /** Beside `--port 0`. */
  readonly flags?: readonly string[];
}

/** Resolves when the shop listens. */
export async function startShop({ databaseUrl, flags = [] }: ShopOptions = {}): Promise<Shop> {
  const server = fileURLToPath(new URL("../../examples/shop/server.mjs", import.meta.url));
  const child = spawn(process.execPath, [server, "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], DATABASE_URL: databaseUrl },
  });
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then(() => {
      throw new Error("the shop ended before it listened");
    }),
  ]);
  const { url }: { url: string } = JSON.parse(String(line));
  return {
    url,
    pid: child.pid ?? NaN,
    metric: async (name, labels = {}) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return text
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .filter((line) => wanted.every((pair) => line.includes(pair)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
