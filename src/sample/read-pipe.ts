/**
 * Reads a pipe, a FIFO or a socket into one buffer.
 *
 * A stream makes a buffer for each chunk. Those of 64 kB lie outside of V8's heap, where they wait for a collection that
 * the heap, in which a sample leaves nothing, seldom needs: at a high rate some hundred megabytes of them.
 */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";

/** What Linux' pipes hold. */
const bufferBytes = 1 << 16;

/**
 * The chunks of `fd` until its last writer has left, or until the signal aborts. A chunk is valid until the next is
 * asked for. `fd` is closed at the end, unless it is standard input.
 */
export async function* readPipe(fd: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let filled = 0;
  let failure: Error | undefined;
  let isClosed = false;
  let wake = (): void => undefined;
  const options: SocketConstructorOpts & Pick<ConnectOpts, "onread"> = {
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytes) => {
        filled = bytes;
        wake();
        // Reads no further before `resume`.
        return false;
      },
    },
  };
  const socket = new Socket(options);
  socket.once("error", (error) => {
    failure = error;
  });
  socket.once("close", () => {
    isClosed = true;
    wake();
  });
  const abort = (): void => {
    socket.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    for (;;) {
      if (filled === 0 && !isClosed) {
        socket.resume();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (filled === 0) break;
      const chunk = buffer.subarray(0, filled);
      filled = 0;
      yield chunk;
    }
    if (failure) throw failure;
  } finally {
    signal?.removeEventListener("abort", abort);
    socket.destroy();
  }
}
