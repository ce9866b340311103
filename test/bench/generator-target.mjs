/**
 * What `npm run bench -- generator` loads, as a process of its own: an answer for each request, as cheaply as Node can.
 *
 * It reads nothing: k6 sends one request at a time over a connection, and a small one comes whole. Prints its URL.
 */
import { createServer } from "node:net";

const answer = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n",
);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", () => socket.write(answer));
  // k6 cuts its connections at the end of a run.
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  console.log(`http://127.0.0.1:${address.port}`);
});
