import { Duplex, pipeline, Transform, type TransformCallback } from "node:stream";
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate,
} from "node:zlib";
import { BodyScanner } from "./body-scanner.ts";

/** Asked once, when the place is found, with the policies that the document has in itself. Undefined: leave it as it is. */
export type BarMaker = (documentPolicies: readonly string[]) => string | undefined;

/** Puts the bar where the body begins. What comes goes on at once, but for the few bytes of a tag that is not whole yet. */
export function createBarInserter(makeBar: BarMaker): Transform {
  const scanner = new BodyScanner();
  let held = "";
  let isDone = false;
  const advance = (stream: Transform, isEnd: boolean): void => {
    const result = scanner.scan(held, isEnd);
    if (result.kind === "more") {
      stream.push(Buffer.from(held.slice(0, result.safe), "latin1"));
      held = held.slice(result.safe);
      return;
    }
    isDone = true;
    const at = result.kind === "found" ? result.at : 0;
    const bar = result.kind === "found" ? makeBar(scanner.policies) : undefined;
    stream.push(Buffer.from(held.slice(0, at) + (bar ?? "") + held.slice(at), "latin1"));
    held = "";
  };
  return new Transform({
    transform(piece: Buffer, _encoding, done: TransformCallback) {
      if (isDone) return done(null, piece);
      held += piece.toString("latin1");
      advance(this, false);
      done();
    },
    flush(done) {
      if (!isDone) advance(this, true);
      done();
    },
  });
}

/** Content codings that can be taken off and put on again. Source: RFC 9110 §8.4.1 */
const codings: Readonly<Record<string, () => readonly [decode: Duplex, encode: Duplex]>> = {
  gzip: () => [createGunzip(), createGzip({ flush: constants.Z_SYNC_FLUSH })],
  "x-gzip": () => [createGunzip(), createGzip({ flush: constants.Z_SYNC_FLUSH })],
  deflate: () => [createInflate(), createDeflate({ flush: constants.Z_SYNC_FLUSH })],
  br: () => [createBrotliDecompress(), createBrotliCompress(fastBrotli)],
};

/** Each piece leaves when it comes. Quality 4: the default of 11 takes seconds where this takes milliseconds. */
const fastBrotli = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
};

export function isInsertable(coding: string | undefined): boolean {
  return (
    coding === undefined ||
    coding === "" ||
    coding.toLowerCase() === "identity" ||
    coding.toLowerCase() in codings
  );
}

/** As {@link createBarInserter}, in a body of this content coding (one that {@link isInsertable} takes). */
export function createCodedInserter(coding: string | undefined, makeBar: BarMaker): Duplex {
  const inserter = createBarInserter(makeBar);
  const pair = codings[coding?.toLowerCase() ?? ""]?.();
  if (pair === undefined) return inserter;
  const [decode, encode] = pair;
  const whole = Duplex.from({ writable: decode, readable: encode }) as Duplex;
  pipeline(decode, inserter, encode, (error) => {
    if (error) whole.destroy(error);
  });
  return whole;
}
