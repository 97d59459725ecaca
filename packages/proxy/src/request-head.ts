import type { Socket } from "node:net";
import { RequestHeadParser } from "@clew/wire";
import type { RequestHead } from "./types.ts";

/** For a head that was within its proxy's limits, whatever those are. */
const unlimited = { maxHeadBytes: Number.POSITIVE_INFINITY, maxLineBytes: Number.POSITIVE_INFINITY };

/** What routing sees of a request: the bytes as they came, made into strings where they are asked for. */
export class ReceivedHead implements RequestHead {
  readonly connection: Socket;
  readonly upgrade: string | undefined;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #parser: RequestHeadParser;
  #generation: number;

  /** `parser` has just read the head from `bytes`, which must not change. */
  constructor(parser: RequestHeadParser, bytes: Buffer, connection: Socket) {
    this.connection = connection;
    this.#bytes = bytes;
    this.#start = parser.start;
    this.#end = parser.headEnd;
    this.#parser = parser;
    this.#generation = parser.generation;
    this.upgrade = parser.asksUpgrade ? firstOf(parser, "upgrade") : undefined;
  }

  get method(): string {
    return this.#parsed().method;
  }

  get target(): string {
    return this.#parsed().target;
  }

  get path(): string {
    return pathOf(this.target);
  }

  get httpVersion(): string {
    return this.#parsed().minorVersion === 1 ? "1.1" : "1.0";
  }

  get rawHeaders(): readonly string[] {
    return this.#parsed().rawHeaders;
  }

  header(name: string): string | undefined {
    return this.#parsed().header(name);
  }

  includes(name: string, text: string): boolean {
    return this.#parsed().includes(name, text);
  }

  get remoteAddress(): string | undefined {
    return this.connection.remoteAddress;
  }

  get localPort(): number | undefined {
    return this.connection.localPort;
  }

  /** The parser that read it, or, where that has gone on to another head since, one that reads it again. */
  #parsed(): RequestHeadParser {
    if (this.#parser.generation !== this.#generation) {
      this.#parser = new RequestHeadParser(unlimited);
      this.#parser.parse(this.#bytes, this.#start, this.#end);
      this.#generation = this.#parser.generation;
    }
    return this.#parser;
  }
}

function firstOf(parser: RequestHeadParser, name: string): string | undefined {
  const line = parser.find(name, 0);
  return line < 0 ? undefined : parser.valueOf(line);
}

const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i;

function pathOf(target: string): string {
  const absolute = target.startsWith("/") ? null : absoluteForm.exec(target);
  const path = absolute === null ? (target.split(/[?#]/, 1)[0] as string) : (absolute[1] as string);
  return path === "" ? "/" : path;
}

// Source: RFC 9110 §9.2.2
const idempotentMethods = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"] as const;

/** Whether sending it twice has the effect of sending it once. */
export function isRepeatable(parser: RequestHeadParser): boolean {
  for (const method of idempotentMethods) if (parser.isMethod(method)) return true;
  return parser.find("idempotency-key", 0) >= 0;
}

/**
 * Whether an upgrade is asked of the upstream at all; it may be left unanswered. It is when there is a body to be sent first, and
 * for h2c: on such a connection requests would pass that were never routed.
 */
export function mayUpgrade(parser: RequestHeadParser): boolean {
  if (!parser.asksUpgrade || parser.minorVersion === 0) return false;
  if (parser.framing === "chunked" || parser.contentLength > 0) return false;
  const protocols = parser.header("upgrade");
  return protocols !== undefined && !/(?:^|,)\s*h2c\s*(?:,|$)/i.test(protocols);
}
