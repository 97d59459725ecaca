import { ChunkedScanner, type ChunkFault, type RequestHeadParser } from "@clew/wire";

/** How far a request's body has come from the client. Nothing is kept here, and nothing changed. */
export class RequestBody {
  isComplete = false;
  fault: ChunkFault | undefined;
  #left: number;
  readonly #scanner: ChunkedScanner | undefined;

  constructor(parser: RequestHeadParser) {
    this.#left = parser.contentLength;
    this.#scanner = parser.framing === "chunked" ? new ChunkedScanner() : undefined;
  }

  /** Where the body ends in these bytes, or they do. With a {@link fault}, none of them may go on. */
  read(bytes: Buffer, from: number, to: number): number {
    if (this.#scanner === undefined) {
      const count = Math.min(this.#left, to - from);
      this.#left -= count;
      this.isComplete = this.#left === 0;
      return from + count;
    }
    const result = this.#scanner.scan(bytes, from, to);
    if (result === "complete") this.isComplete = true;
    else if (result !== "incomplete") this.fault = result;
    return this.#scanner.end;
  }
}

/** Undefined when the head announces none. */
export function bodyOf(parser: RequestHeadParser): RequestBody | undefined {
  if (parser.framing === "none" || (parser.framing === "length" && parser.contentLength === 0))
    return undefined;
  return new RequestBody(parser);
}
