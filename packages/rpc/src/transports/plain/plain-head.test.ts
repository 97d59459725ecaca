import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { createServer } from "../../server/create-server.ts";
import { anything } from "../../test/fixtures.ts";
import { type Listener, listen } from "../listen.ts";
import { readPlainRequest } from "./plain-head.ts";

const body = JSON.stringify({
  protocol: { name: "forrst", version: "0.1.0" },
  id: "1",
  call: { function: "a.echo", arguments: {} },
});
const head =
  "POST /forrst HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: */*\r\n" +
  `Connection: keep-alive\r\nbaggage: a=1,b=2\r\nContent-Length: ${body.length}\r\n\r\n`;

/** Where parsers of requests have disagreed before. */
const pieces = fc.constantFrom(
  ...'\r\n\t :;,0+\0-\u007f\u00e9"#%|',
  "\r\n",
  "\r\n ",
  "\n\n",
  "\r\r\n",
  "0x5",
  "+5",
  "5, 5",
  "\r\nContent-Length: 5",
  "\r\nContent-Length : 5",
  "\r\nTransfer-Encoding: chunked",
  "\r\nTransfer-Encoding : chunked",
  "\r\ntransfer-encoding:\tidentity",
  "\r\nHost: y",
  "\r\nConnection: close",
  "\r\nExpect: 100-continue",
  " HTTP/1.0",
  "HTTP/1.1",
  "GET ",
);
const damages = fc.record({
  at: fc.nat(head.length + 2),
  remove: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(30)),
  piece: fc.oneof(pieces, fc.constant("")),
});

function damaged(text: string, list: readonly { at: number; remove: number; piece: string }[]): string {
  return list.reduce((was, { at, remove, piece }) => was.slice(0, at) + piece + was.slice(at + remove), text);
}

const server = createServer({ service: "a", onContextFault: () => {} }).function("a.echo", {
  version: "1.0.0",
  arguments: anything,
  result: anything,
  handler: () => null,
});
const node = createHttpServer((request, response) => server.handle(request, response));
let plain: Listener;
before(async () => {
  plain = await listen(server);
  node.listen(0, "127.0.0.1");
  await once(node, "listening");
});
after(async () => {
  node.close();
  await plain.close();
});

/** Status and id of every answer, until the connection ends. */
async function ask(port: number, bytes: Buffer): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  // Reset, where the server did not want the rest.
  socket.on("error", () => {});
  socket.end(bytes);
  await once(socket, "close");
  return [
    ...Buffer.concat(pieces)
      .toString("latin1")
      .matchAll(/HTTP\/1\.1 (\d+)|"id":(null|"[^"]*")/g),
  ].map(([, status, id]) => status ?? id ?? "");
}

test("whatever is taken for one plain request, Node's server takes for that very request and nothing more", async () => {
  const nodePort = (node.address() as AddressInfo).port;
  const plainPort = Number(new URL(plain.url).port);
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damages, { minLength: 1, maxLength: 3 }), async (list) => {
      const bytes = Buffer.from(damaged(head + body, list) + head + body, "latin1");
      const request = readPlainRequest(bytes, 1_000_000);
      // All that is not goes to Node's server: there is nothing to compare.
      if (request === undefined) return;
      taken++;
      const whole = bytes.subarray(0, request.endsAt);
      const answer = await ask(nodePort, whole);
      assert.equal(answer.length, 2, answer.join());
      assert.deepEqual(await ask(plainPort, whole), answer);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(taken > 200, `${taken} of 2,000 were taken`);
});

test("a plain request is read as it came, and its end is where its length says", () => {
  const bytes = Buffer.from(`${head}${body}POST`);
  const request = readPlainRequest(bytes, 1_000);
  assert.equal(request?.endsAt, head.length + body.length);
  assert.equal(request?.body, body);
  assert.deepEqual(request?.headers.slice(0, 4), ["Host", "x", "Content-Type", "application/json"]);
  const wide = Buffer.from(`${head.replace(/\d+\r\n\r\n$/, "4\r\n\r\n")}"ü"`);
  assert.deepEqual(readPlainRequest(wide, 1_000)?.body, Buffer.from('"ü"'));
  assert.equal(readPlainRequest(bytes, body.length - 1), undefined);
});
