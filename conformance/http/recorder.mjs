// @ts-check
// A bare upstream that remembers what reaches it, byte by byte, and answers each whole request with an empty 200.
import { once } from "node:events";
import { createServer } from "node:net";
import { readMessage } from "@clew/testing";
import { lowerNames } from "./understanding.mjs";

/** @typedef {import("./understanding.mjs").Message} Message */

const answer = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

export async function startRecorder() {
  /** @type {{ bytes: Buffer, ended: boolean }[]} */
  let connections = [];
  /** @type {Message[]} */
  let messages = [];
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let from = 0;
    // Of the case that is under way when the first bytes come, as idle connections outlive a case.
    const record = { bytes: Buffer.alloc(0), ended: false };
    socket.on("data", (bytes) => {
      if (!connections.includes(record)) {
        connections.push(record);
        record.bytes = record.bytes.subarray(from);
        from = 0;
      }
      record.bytes = Buffer.concat([record.bytes, bytes]);
      for (
        let message = readMessage(record.bytes, from);
        message;
        message = readMessage(record.bytes, from)
      ) {
        from = message.end;
        messages.push(understood(message));
        socket.write(answer);
      }
    });
    socket.on("end", () => {
      record.ended = true;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      record.ended = true;
      sockets.delete(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    port,
    /** What came since the last time. */
    take() {
      const taken = { connections, messages };
      connections = [];
      messages = [];
      return taken;
    },
    /** What came so far, to look at. */
    get connections() {
      return connections;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startRecorder>>} Recorder */

/** @param {import("@clew/testing").PlainMessage} message @returns {Message} */
function understood({ startLine, headers, content, trailers }) {
  const [method = "", target = "", version = ""] = startLine.split(" ");
  return {
    ...{ method, target, version: version.slice("HTTP/".length), headers: lowerNames(headers) },
    ...{ body: content.toString("latin1"), trailers: lowerNames(trailers), complete: true },
  };
}
