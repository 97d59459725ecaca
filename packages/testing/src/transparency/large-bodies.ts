import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { test } from "node:test";
import { rawClient, startRawServer } from "../raw-connection.ts";
import { until } from "../until.ts";
import { caseTimeoutMs, patienceMs, type TransparencyOptions } from "./types.ts";

/** Many times what the sockets and whatever is between them hold, so that somebody has to wait. */
const bodyBytes = 12 * 1024 * 1024;
/** What a slow side reads before it pauses, and for how many turns of the loop. */
const sipBytes = 1024 * 1024;
const pauseTurns = 50;

/** Bytes that do not repeat, so that a piece that is lost, doubled or moved shows. */
function bytesOf(seed: number): Buffer {
  const words = new Uint32Array(bodyBytes / 4);
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    // xorshift32. Source: Marsaglia, "Xorshift RNGs" (2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer);
}

/** The same bytes in chunks whose sizes differ. */
function chunksOf(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let size = 1; from < body.length; size = (size * 7) % 70_001) {
    const piece = body.subarray(from, from + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
    from += size;
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

interface Framed {
  readonly name: string;
  readonly lines: string;
  readonly bytes: Buffer;
}

function framings(seed: number): readonly Framed[] {
  const body = bytesOf(seed);
  return [
    { name: "with a length", lines: `Content-Length: ${body.length}\r\n`, bytes: body },
    { name: "in chunks", lines: "Transfer-Encoding: chunked\r\n", bytes: chunksOf(body) },
  ];
}

/** Reads with pauses, and gathers what came after the head. */
function slowly(socket: Socket, isSlow: boolean): { readonly whole: (length: number) => Promise<Buffer> } {
  const pieces: Buffer[] = [];
  let length = 0;
  let sipped = 0;
  let wake: () => void = () => {};
  socket.on("data", (bytes: Buffer) => {
    pieces.push(bytes);
    length += bytes.length;
    sipped += bytes.length;
    if (isSlow && sipped > sipBytes) {
      sipped = 0;
      socket.pause();
      let turns = pauseTurns;
      const turn = (): unknown => (turns-- > 0 ? setImmediate(turn) : socket.resume());
      turn();
    }
    wake();
  });
  socket.on("close", () => wake());
  const body = (): Buffer => {
    const all = Buffer.concat(pieces);
    return all.subarray(all.indexOf("\r\n\r\n") + 4);
  };
  return {
    whole: async (wanted) => {
      // A head is never longer here than what is added.
      while (length < wanted && !socket.destroyed) await new Promise<void>((resolve) => (wake = resolve));
      while (body().length < wanted && !socket.destroyed)
        await new Promise<void>((resolve) => (wake = resolve));
      return body();
    },
  };
}

export function largeBodyCases(options: TransparencyOptions): void {
  for (const [index, up] of framings(7).entries()) {
    const down = framings(11)[1 - index] as Framed;
    for (const [title, slowClient, slowUpstream] of [
      ["both quick", false, false],
      ["a slow client", true, false],
      ["a slow upstream", false, true],
      ["both slow", true, true],
    ] as const) {
      test(`12 MiB up ${up.name} and 12 MiB down ${down.name} at once, ${title}`, {
        timeout: caseTimeoutMs,
      }, async () => {
        let seen = "";
        await using upstream = await startRawServer(async ({ socket }) => {
          socket.removeAllListeners("data");
          const request = slowly(socket, slowUpstream);
          // The answer begins with the request's first bytes: both directions at once.
          await new Promise<void>((resolve) => socket.once("data", () => resolve()));
          socket.write(`HTTP/1.1 200 OK\r\n${down.lines}\r\n`);
          socket.write(down.bytes);
          seen = digestOf(await request.whole(up.bytes.length));
        });
        await using forwarder = await options.start(upstream.port);
        await using client = await rawClient(forwarder.port);
        client.socket.removeAllListeners("data");
        const answer = slowly(client.socket, slowClient);
        client.write(`POST / HTTP/1.1\r\nHost: h\r\n${up.lines}\r\n`);
        client.write(up.bytes);
        assert.equal(digestOf(await answer.whole(down.bytes.length)), digestOf(down.bytes), "the answer");
        await until(() => seen !== "", { timeoutMs: patienceMs, what: "the whole request at the upstream" });
        assert.equal(seen, digestOf(up.bytes), "the request");
      });
    }
  }
}
