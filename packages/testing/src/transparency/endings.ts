import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessage } from "../http-message.ts";
import { type RawPeer, rawClient, startRawServer } from "../raw-connection.ts";
import { until } from "../until.ts";
import { comparable } from "./compare.ts";
import { caseTimeoutMs, patienceMs, type TransparencyOptions } from "./types.ts";

type Leaving = "ends" | "resets";
const leavings: readonly Leaving[] = ["ends", "resets"];

const requests: Readonly<globalThis.Record<string, string>> = {
  "without a body": "POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
  "with a length": "POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789",
  "in chunks":
    "POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\nX-T: 1\r\n\r\n",
};

const answers: Readonly<globalThis.Record<string, string>> = {
  "with a length": "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 9\r\n\r\n123456789",
  "in chunks":
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\nX-T: 1\r\n\r\n",
  "after early hints":
    "HTTP/1.1 103 Early Hints\r\nX-H: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
};

const check = (title: string, run: () => Promise<void>): void =>
  void test(title, { timeout: caseTimeoutMs }, run);

/** Either side goes at every byte of what it sends, by an end or by a reset. */
export function endingCases(options: TransparencyOptions): void {
  for (const leaving of leavings) {
    for (const [name, request] of Object.entries(requests)) {
      check(`a client that ${leaving} at any byte of a request ${name} leaves no whole request behind`, () =>
        clientLeaves(options, request, leaving),
      );
    }
    for (const [name, answer] of Object.entries(answers)) {
      check(
        `an upstream that ${leaving} at any byte of an answer ${name} leaves no answer that looks whole`,
        () => upstreamLeaves(options, answer, leaving),
      );
    }
  }
  check(
    "a client that resets while it waits for an answer, or in the middle of one, frees the upstream",
    () => clientGoesWaiting(options),
  );
  check("an upstream that resets in an answer until the end is no end of the answer", () =>
    untilEndIsReset(options),
  );
  check("an upstream that goes while the request's body is still coming is told to the client", () =>
    upstreamGoesInUpload(options),
  );
}

function leave(peer: RawPeer, how: Leaving): void {
  if (how === "ends") peer.end();
  else peer.reset();
}

async function clientLeaves(options: TransparencyOptions, request: string, how: Leaving): Promise<void> {
  await using upstream = await startRawServer(async (peer) => {
    await peer.closed;
    peer.socket.destroy();
  });
  await using forwarder = await options.start(upstream.port);
  for (let length = 1; length < request.length; length++) {
    await using client = await rawClient(forwarder.port);
    await client.writeCut(request.slice(0, length), [Math.floor(length / 2)]);
    leave(client, how);
    if (how === "ends") await client.closed;
  }
  // Each is over at the upstream as well, and none was whole.
  await until(() => upstream.peers.every(({ socket }) => socket.destroyed), { timeoutMs: patienceMs });
  for (const { received } of upstream.peers) {
    assert.equal(readMessage(received, 0), undefined, JSON.stringify(received.toString("latin1")));
  }
}

/** What came of an answer that was broken off: a part of it and no more, or an answer that says so. */
function assertBroken(received: Buffer, answer: string, title: string): void {
  const final = answer.slice(answer.lastIndexOf("HTTP/1.1 "));
  const interim = answer.slice(0, answer.length - final.length);
  const text = received.toString("latin1");
  const rest = text.startsWith(interim) ? text.slice(interim.length) : text;
  // Not even a head: nothing that could look whole.
  if (!rest.includes("\r\n\r\n") && (interim.startsWith(rest) || final.startsWith(rest))) return;
  if (rest.startsWith("HTTP/1.1 502 ")) {
    assert.notEqual(readMessage(Buffer.from(rest, "latin1"), 0), undefined, `${title}: half of a 502`);
    return;
  }
  const [came, whole] = [comparable(Buffer.from(rest, "latin1")), comparable(Buffer.from(final, "latin1"))];
  assert.deepEqual({ ...came, rest: "" }, { ...whole, rest: "" }, title);
  assert.ok(whole.rest.startsWith(came.rest), `${title}: ${JSON.stringify(came.rest)}`);
  assert.equal(readMessage(Buffer.from(rest, "latin1"), 0), undefined, `${title}: looks whole`);
}

async function upstreamLeaves(options: TransparencyOptions, answer: string, how: Leaving): Promise<void> {
  let length = 0;
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    await peer.writeCut(answer.slice(0, length), [Math.floor(length / 2)]);
    leave(peer, how);
  });
  await using forwarder = await options.start(upstream.port);
  for (length = 0; length < answer.length; length++) {
    await using client = await rawClient(forwarder.port);
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    const cut = length;
    await client.waitFor((bytes) => bytes.includes("HTTP/1.1 502")).catch(() => undefined);
    assertBroken(client.received, answer, `gone after ${cut} bytes`);
  }
}

async function clientGoesWaiting(options: TransparencyOptions): Promise<void> {
  for (const first of [
    "",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123",
  ]) {
    await using upstream = await startRawServer(async (peer) => {
      await peer.waitFor("\r\n\r\n");
      peer.write(first);
      await peer.closed;
      peer.socket.destroy();
    });
    await using forwarder = await options.start(upstream.port);
    await using client = await rawClient(forwarder.port);
    client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await until(() => upstream.peers[0]?.received.includes("\r\n\r\n"));
    if (first.includes("\r\n\r\n")) await client.waitFor("123");
    client.reset();
    await until(() => upstream.peers.every(({ socket }) => socket.destroyed), { timeoutMs: patienceMs });
  }
}

async function untilEndIsReset(options: TransparencyOptions): Promise<void> {
  let goOn: () => void = () => {};
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nsome of it");
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    peer.reset();
  });
  await using forwarder = await options.start(upstream.port);
  await using client = await rawClient(forwarder.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.waitFor("some of it");
  goOn();
  const { error } = await client.closed;
  // Node 20 reports a reset after data as an ordinary end; see RawPeer.closed.
  if (!process.versions.node.startsWith("20.")) assert.match(String(error), /ECONNRESET/);
  assert.ok(client.received.toString().endsWith("some of it"));
}

async function upstreamGoesInUpload(options: TransparencyOptions): Promise<void> {
  for (const leaving of leavings) {
    await using upstream = await startRawServer(async (peer) => {
      await peer.waitFor("first");
      leave(peer, leaving);
      if (leaving === "ends") peer.socket.destroySoon();
    });
    await using forwarder = await options.start(upstream.port);
    await using client = await rawClient(forwarder.port);
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nfirst");
    // Where nothing is between the two, only the end can be told.
    await client.waitFor("HTTP/1.1 502 ", patienceMs).catch(() => assert.equal(client.received.length, 0));
  }
}
