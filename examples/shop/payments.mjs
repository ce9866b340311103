/**
 * The payment service: a process of its own with an HTTP server of its own, as the shop's dependency would be.
 *
 *   POST /payments {"totalCents"}   200; of every hundred, two are 503 and three are 402, by a pattern from the seed
 *   PUT  /delay {"ms"}              every answer comes that much later; the shop's fault `dependency`
 *
 * Started by `payments-client.mjs` with the seed as its argument; prints its port; ends when its standard input does.
 */
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, logNormalMs } from "./random.mjs";

const seed = Number(process.argv[2]);
const randomDelay = createRandom(seed + 2);
const randomPayment = createRandom(seed + 1);
let extraMs = 0;

const server = createServer((request, response) => void answer(request, response));

async function answer(request, response) {
  try {
    const body = Object(await json(request));
    if (request.method === "PUT" && request.url === "/delay") {
      extraMs = Number(body.ms);
      response.writeHead(204).end();
    } else if (request.method === "POST" && request.url === "/payments") {
      const chance = randomPayment();
      await delay(logNormalMs(randomDelay, 22, 0.3) + extraMs);
      response.writeHead(chance < 0.02 ? 503 : chance < 0.05 ? 402 : 200).end();
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    // The shop went away, or is broken.
    response.writeHead(400).end(String(error));
  }
}

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
// Ctrl-C reaches the whole process group; the shop still has requests to end, and ends us after them.
process.on("SIGINT", () => {});
