import { RpcError } from "../rpc-error.ts";
import type { HttpRequest } from "./http-exchange.ts";

/**
 * A client that is refused while it still writes may never read why. So a body that is too large is read on and
 * thrown away, up to this many times the limit.
 */
const discardFactor = 4;

/** Undefined when the client went away in the middle: nobody waits for an answer. Rejects with INVALID_REQUEST. */
export function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > maxBytes * discardFactor) {
        request.pause();
        reject(tooLarge(maxBytes));
      }
    });
    request.on("end", () => {
      if (size > maxBytes) reject(tooLarge(maxBytes));
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    });
    // An error is always followed by `close`; `close` alone after `end` finds the promise settled.
    request.on("error", ignore);
    request.on("close", () => resolve(undefined));
  });
}

export function tooLarge(maxBytes: number): RpcError {
  return new RpcError("INVALID_REQUEST", `The request's body is larger than ${maxBytes} bytes`, {
    status: 413,
  });
}

function ignore(): void {}
