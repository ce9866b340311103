/** `examples/shop` as a process on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Shop extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
}

/** Resolves when the shop listens. */
export async function startShop(): Promise<Shop> {
  const server = fileURLToPath(new URL("../../examples/shop/server.mjs", import.meta.url));
  const child = spawn(process.execPath, [server, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
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
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
