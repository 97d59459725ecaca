// @ts-check
// A bare upstream that answers every head with the bytes that it is given.
import { once } from "node:events";
import { createServer } from "node:net";

export async function startAnswerer() {
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      received = "";
      const { bytes: all, cut, ends } = answerer.answer;
      socket.write(all.subarray(0, cut));
      // A turn of the loop, so that the proxy reads the two by themselves.
      setImmediate(() => {
        socket.write(all.subarray(cut));
        if (ends) socket.end();
      });
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const answerer = {
    port,
    /** What every head is answered with from now on, in two packets where `cut` is not 0; `ends`: then the connection ends. */
    answer: { bytes: Buffer.alloc(0), cut: 0, ends: false },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
  return answerer;
}

/** @typedef {Awaited<ReturnType<typeof startAnswerer>>} Answerer */
