import type { ServerSentEvent } from "../extensions/event-stream-parser.ts";
import type { PreparedRequest } from "./prepare-request.ts";

export interface SendOptions {
  readonly signal: AbortSignal;
  /** May be sent again on another connection when a kept one turns out to be closed before any answer. */
  readonly isRepeatable: boolean;
  /** A stream: it may last, so it must not keep a connection from calls. */
  readonly isStream: boolean;
}

/** What came back: one document, or the events of a stream. */
export type TransportAnswer =
  | {
      readonly kind: "document";
      /** HTTP status; undefined where the transport has none. */
      readonly status: number | undefined;
      readonly contentType: string | undefined;
      readonly chunks: AsyncIterable<Buffer>;
    }
  | {
      readonly kind: "events";
      /**
       * What one read of the connection brought; no event but a sign of life is an empty list. Ends with the
       * connection. Rejects with E_RPC_RESPONSE_TOO_LARGE for an event past its limit.
       */
      readonly batches: AsyncIterator<readonly ServerSentEvent[]>;
    };

/** All that the client knows of a way to a server. Whoever adds one passes the transport contract's tests. */
export interface ClientTransport {
  /** Resolves with the head of the answer. Rejects with UNAVAILABLE, or with the signal's reason. */
  send(request: PreparedRequest, options: SendOptions): Promise<TransportAnswer>;
  /** Lets go of kept connections. Calls under way go on. */
  close(): void;
}
