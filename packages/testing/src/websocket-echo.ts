import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Accepts any upgrade. A WebSocket gets each of its frames back (unmasked, as a server's must be; a close frame ends the
 * connection), any other protocol its bytes as they come. The first answer bytes leave in one write with the 101's head
 * when the client's first bytes came with its request. Frames up to 64 KiB.
 */
export function echoUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const protocol = request.headers.upgrade ?? "";
  const key = request.headers["sec-websocket-key"];
  const lines = ["HTTP/1.1 101 Switching Protocols", `Upgrade: ${protocol}`, "Connection: Upgrade"];
  if (key !== undefined) lines.push(`Sec-WebSocket-Accept: ${acceptOf(key)}`);
  const echo = protocol.toLowerCase() === "websocket" ? frameEcho() : (bytes: Buffer) => bytes;
  socket.on("error", () => socket.destroy());
  socket.write(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), echo(head)]));
  socket.on("data", (bytes: Buffer) => {
    const answer = echo(bytes);
    if (answer.length > 0) socket.write(answer);
    if (protocol.toLowerCase() === "websocket" && answer.length > 0 && isClose(answer)) socket.end();
  });
  // It may have ended while its handshake was held.
  if (socket.readableEnded) socket.end();
  else socket.on("end", () => socket.end());
}

function acceptOf(key: string): string {
  // Source: RFC 6455 §4.2.2
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

function isClose(frames: Buffer): boolean {
  return ((frames[0] as number) & 0x0f) === 0x8;
}

/** Source: RFC 6455 §5.2 */
function frameEcho(): (bytes: Buffer) => Buffer {
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    const answers: Buffer[] = [];
    for (let frame = nextFrame(held); frame !== undefined; frame = nextFrame(held)) {
      answers.push(frame.answer);
      held = held.subarray(frame.length);
    }
    return Buffer.concat(answers);
  };
}

function nextFrame(bytes: Buffer): { length: number; answer: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  if (short === 127) throw new Error("the test upstream echoes frames up to 64 KiB");
  const sizeBytes = short === 126 ? 2 : 0;
  if (bytes.length < 2 + sizeBytes) return undefined;
  const size = sizeBytes === 2 ? bytes.readUInt16BE(2) : short;
  const maskAt = 2 + sizeBytes;
  const length = maskAt + 4 + size;
  if (bytes.length < length) return undefined;
  const payload = Buffer.from(bytes.subarray(maskAt + 4, length));
  for (let index = 0; index < size; index++) {
    payload[index] = (payload[index] as number) ^ (bytes[maskAt + (index % 4)] as number);
  }
  const head = Buffer.from(bytes.subarray(0, maskAt));
  head[1] = short;
  return { length, answer: Buffer.concat([head, payload]) };
}
