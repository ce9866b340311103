/**
 * Starts the payment service and calls it, measured as `http_client_*`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";

/** @typedef {Awaited<ReturnType<typeof startPayments>>} Payments */

/** @param {{ seed: number, metrics: import("./metrics.mjs").Metrics }} options */
export async function startPayments({ seed, metrics }) {
  const program = fileURLToPath(new URL("payments.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, String(seed)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    exited.then(() => {
      throw new Error("the payment service ended before it listened");
    }),
  ]);
  const agent = new Agent({ keepAlive: true });
  const call = (method, path, body) => send({ method, path, body, port: Number(line), agent });

  return {
    /** @returns {Promise<number>} the HTTP status: 200 paid, 402 declined, 503 no answer */
    pay: (totalCents) =>
      metrics.timeCall({ server: "payments", method: "POST" }, () =>
        call("POST", "/payments", { totalCents }),
      ),
    /** Every payment takes that much longer, from now on. @param {number} ms */
    setDelay: (ms) => call("PUT", "/delay", { ms }),
    async close() {
      agent.destroy();
      child.stdin.end();
      await exited;
    },
  };
}

/** @returns {Promise<number>} the status; the answer's body is empty */
function send({ method, path, body, port, agent }) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = { "content-length": Buffer.byteLength(text) };
    request({ host: "127.0.0.1", port, method, path, agent, headers }, (response) => {
      response
        .resume()
        .once("end", () => resolve(response.statusCode))
        .once("error", reject);
    })
      .once("error", reject)
      .end(text);
  });
}
