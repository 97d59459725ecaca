import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Joins two byte pipes until both directions have ended. An end passes on as an end (half-close), a break as a break.
 * Resolves with the side that broke off, or undefined when both ended in order.
 */
export function splice(client: Duplex, upstream: Duplex): Promise<"client" | "upstream" | undefined> {
  return new Promise((resolve) => {
    const closed = (side: "client" | "upstream", self: Duplex, other: Duplex) => (): void => {
      const isOrderly = self.readableEnded && self.writableFinished;
      if (!isOrderly) breakOff(other);
      else if (other.destroyed) resolve(undefined);
      // Has an effect for the first that closes only.
      if (!isOrderly) resolve(side);
    };
    // The close that follows tells what is to be done.
    client.on("error", () => client.destroy()).on("close", closed("client", client, upstream));
    upstream.on("error", () => upstream.destroy()).on("close", closed("upstream", upstream, client));
    if (client.destroyed) return closed("client", client, upstream)();
    client.pipe(upstream);
    upstream.pipe(client);
  });
}

/** Ends a connection so that the other side sees a break, not an end. */
export function breakOff(stream: Duplex): void {
  // A reset after an end would fail, and leave the connection open for ever.
  if (stream instanceof Socket && !stream.destroyed && !stream.writableEnded) stream.resetAndDestroy();
  else stream.destroy();
}
