// @ts-check
// The back end of uploads and WebSockets, a process of its own on the load's core: takes a request's whole body before it
// answers, and sends each WebSocket message back. No more of HTTP than the loads speak, so that it costs little.
import { createServer } from "node:net";
import { acceptOf, echoFrames } from "./websocket-frames.mjs";

const answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok");

const server = createServer({ noDelay: true }, (socket) => {
  /** Of a head that is not all there. */
  let held = Buffer.alloc(0);
  /** What is still to come of a body. */
  let left = 0;
  /** @param {Buffer} bytes */
  const read = (bytes) => {
    let rest = bytes;
    while (rest.length > 0) {
      if (left > 0) {
        const taken = Math.min(left, rest.length);
        left -= taken;
        rest = rest.subarray(taken);
        if (left === 0) socket.write(answer);
        continue;
      }
      if (held.length > 0) rest = Buffer.concat([held, rest]);
      held = Buffer.alloc(0);
      const end = rest.indexOf("\r\n\r\n");
      if (end === -1) {
        held = rest;
        return;
      }
      const head = rest.latin1Slice(0, end);
      rest = rest.subarray(end + 4);
      const key = /\r\nsec-websocket-key: *(\S+)/i.exec(head)?.[1];
      if (key !== undefined) {
        upgrade(key, rest);
        return;
      }
      left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (left === 0) socket.write(answer);
    }
  };
  /** @param {string} key @param {Buffer} rest */
  const upgrade = (key, rest) => {
    socket.off("data", read);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptOf(key)}\r\n\r\n`,
    );
    const echo = echoFrames();
    socket.on("data", (bytes) => {
      const frames = echo(bytes);
      if (frames.length > 0) socket.write(frames);
    });
    if (rest.length > 0) socket.emit("data", rest);
  };
  socket.on("data", read);
  // Proxies end connections as they like.
  socket.on("error", () => socket.destroy());
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
