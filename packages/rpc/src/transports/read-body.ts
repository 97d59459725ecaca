import type { HttpRequest } from "./http-exchange.ts";

export type BodyResult =
  | { readonly kind: "whole"; readonly bytes: Buffer }
  | { readonly kind: "too-large" }
  /** The client went away in the middle: nobody waits for an answer. */
  | { readonly kind: "gone" };

/**
 * A client that is refused while it still writes may never read why. So a body that is too large is read on and
 * thrown away, up to this many times the limit.
 */
const discardFactor = 4;

export function readBody(request: HttpRequest, maxBytes: number): Promise<BodyResult> {
  return new Promise((resolve) => {
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
        resolve({ kind: "too-large" });
      }
    });
    request.on("end", () => {
      const [only] = chunks;
      const bytes = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size);
      resolve(size > maxBytes ? { kind: "too-large" } : { kind: "whole", bytes });
    });
    // An error is always followed by `close`; `close` alone after `end` finds the promise settled.
    request.on("error", ignore);
    request.on("close", () => resolve({ kind: "gone" }));
  });
}

function ignore(): void {}
