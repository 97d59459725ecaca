import type { Socket } from "node:net";
import { isJsonObject } from "../envelope/document.ts";
import { parseJson } from "../envelope/parse-json.ts";
import { writeResponse } from "../envelope/write.ts";
import { RpcError } from "../rpc-error.ts";
import type { Exchange } from "../server/exchange.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { FrameExchange } from "./frame-exchange.ts";
import { FrameReader, writeFrame } from "./frame-reader.ts";

export interface UnixConnectionOptions {
  readonly accept: (exchange: Exchange) => void;
  readonly admit: ServerOptions["admit"];
  readonly maxBodyBytes: number;
}

/** Calls under way on one connection; nothing more is read of it until one has ended (I8). */
const maxCallsPerConnection = 1_000;

/** How long a frame may take to come whole. As Node gives the head of an HTTP request. */
const frameTimeoutMs = 60_000;

/** A payload that announces itself as larger than this many times the limit is not read away: the connection ends. */
const discardFactor = 4;

/** How often a client that has said all is asked whether it still lives. A second: a handler that runs longer is worth it. */
const probeMs = 1_000;

/** A message no longer than this may be a cancellation. */
const maxCancelBytes = 1_024;

/** Serves one connection: many calls at once, each answered when it is done. */
export function serveUnixConnection(socket: Socket, options: UnixConnectionOptions): void {
  const reader = new FrameReader(options.maxBodyBytes);
  const calls = new Set<FrameExchange>();
  let hasEnded = false;
  // Every stream on the connection waits for its `drain`.
  socket.setMaxListeners(0);

  const keepPace = (): void => {
    const isBusy = calls.size >= maxCallsPerConnection || socket.writableNeedDrain;
    if (isBusy) socket.pause();
    else socket.resume();
    if (hasEnded && calls.size === 0) socket.end();
  };
  const start = (payload: Buffer): void => {
    const exchange = new FrameExchange(socket, payload, options.admit, () => {
      calls.delete(exchange);
      keepPace();
    });
    calls.add(exchange);
    options.accept(exchange);
  };

  const cancel = (id: string): void => {
    for (const call of calls) if (call.id === id) call.cancel();
  };

  socket.on("data", (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if ("tooLargeBytes" in frame) {
        refuseSize(socket, frame.tooLargeBytes, options.maxBodyBytes);
        continue;
      }
      const cancelled = readCancel(frame.payload);
      if (cancelled === undefined) start(frame.payload);
      // A turn later: the call itself may have come with the same chunk, and not be read yet.
      else setImmediate(() => cancel(cancelled));
    }
    socket.setTimeout(reader.isBetweenFrames ? 0 : frameTimeoutMs);
    keepPace();
  });
  socket.on("drain", keepPace);
  socket.on("timeout", () => socket.destroy());
  socket.on("end", () => {
    hasEnded = true;
    // A client that has said all may still wait for answers; one that was cut off in the middle may not.
    if (!reader.isBetweenFrames) socket.destroy();
    keepPace();
    if (calls.size > 0) watchForDeath(socket);
  });
  // An error is always followed by `close`.
  socket.on("error", () => {});
  socket.on("close", () => {
    for (const call of calls) call.cancel();
  });
}

/**
 * A client that died, and one that only ended its half, look the same to a reader. To write tells them apart, and
 * nothing is enough to write: where nobody has the other end, it fails with EPIPE, and the socket closes. So on Linux;
 * elsewhere a death shows when an answer is written.
 */
function watchForDeath(socket: Socket): void {
  const probe = (): void => void (socket.writable && socket.write(nothing));
  probe();
  const timer = setInterval(probe, probeMs).unref();
  socket.once("close", () => clearInterval(timer));
}

const nothing = Buffer.alloc(0);

function refuseSize(socket: Socket, bytes: number, maxBytes: number): void {
  const [error] = new RpcError("INVALID_REQUEST", `The request is larger than ${maxBytes} bytes`).errors;
  socket.write(writeFrame(writeResponse({ id: null, result: null, errors: error && [error] })));
  if (bytes > maxBytes * discardFactor) socket.destroySoon();
}

function readCancel(payload: Buffer): string | undefined {
  if (payload.length > maxCancelBytes || !payload.includes('"event":"cancel"')) return undefined;
  const json = parseJson(payload, 4);
  if (!json.ok || !isJsonObject(json.value) || json.value["event"] !== "cancel") return undefined;
  const { id } = json.value;
  return typeof id === "string" ? id : undefined;
}
