import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { rawClient, rawExchange } from "@clew/testing";
import { register } from "../api.ts";
import { listen } from "./listen.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

/** What was ambient where, in the order of the requests. */
type Sightings = Map<string, unknown[]>;

function see(sightings: Sightings, place: string): void {
  sightings.set(place, [...(sightings.get(place) ?? []), context.get("tenant_id")]);
}

function head(method: string, tenant: string, ...lines: string[]): string {
  const fields = ["host: test", `baggage: tenant_id=${tenant}`, ...lines];
  return `${method} / HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`;
}

/** Looks wherever an application may be called back while it serves a request. */
function watchEverything(sightings: Sightings, shared: EventEmitter): RequestListener {
  return (req, res) => {
    const at = (place: string) => () => see(sightings, place);
    at("handler")();
    for (const event of ["data", "end", "close"]) req.on(event, at(`request ${event}`));
    for (const event of ["finish", "close"]) res.on(event, at(`response ${event}`));
    const own = new EventEmitter().on("event", at("emitter"));
    shared.on("event", context.bind(at("bound listener")));
    req.on("end", async () => {
      await null;
      at("promise")();
      own.emit("event");
      setTimeout(() => {
        at("timer")();
        res.end("done");
      }, 1);
    });
  };
}

const places = [
  "handler",
  "request data",
  "request end",
  "request close",
  "response finish",
  "response close",
  "promise",
  "emitter",
  "timer",
];

test("one kept connection, bodies in pieces: every callback of each request has its own context", async () => {
  const sightings: Sightings = new Map();
  const shared = new EventEmitter();
  await using server = await listen(createServer(watchEverything(sightings, shared)));
  await using client = await rawClient(server.port);
  for (const [index, tenant] of ["a", "b"].entries()) {
    client.write(`${head("POST", tenant, "content-length: 4")}12`);
    while (sightings.get("request data")?.length !== index * 2 + 1) await new Promise(setImmediate);
    client.write("34");
    await client.waitFor((bytes) => bytes.toString().split("done").length === index + 2);
  }
  for (const place of places) {
    const expected = place === "request data" ? ["a", "a", "b", "b"] : ["a", "b"];
    assert.deepEqual(sightings.get(place), expected, place);
  }
  shared.emit("event");
  assert.deepEqual(sightings.get("bound listener"), ["a", "b"]);
});

test("pipelined requests in one packet, the last without context: none sees another's", async () => {
  const sightings: Sightings = new Map();
  await using server = await listen(createServer(watchEverything(sightings, new EventEmitter())));
  const bare = "POST / HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 2\r\n\r\nxx";
  await rawExchange(
    server.port,
    `${head("POST", "a", "content-length: 2")}xx${head("POST", "b", "content-length: 2")}xx${bare}`,
  );
  for (const place of places) {
    const seen = sightings.get(place)?.map(String).sort();
    assert.deepEqual(seen, ["a", "b", "undefined"], place);
  }
});

test("a request that expects 100 Continue has its context", async () => {
  const sightings: Sightings = new Map();
  const server = createServer().on("checkContinue", async (req: IncomingMessage, res: ServerResponse) => {
    see(sightings, "handler");
    res.writeContinue();
    req.on("data", () => see(sightings, "data"));
    await once(req, "end");
    see(sightings, "end");
    res.end();
  });
  await using listening = await listen(server);
  await using client = await rawClient(listening.port);
  client.write(head("POST", "a", "expect: 100-continue", "connection: close", "content-length: 2"));
  await client.waitFor("100 Continue");
  client.write("xx");
  await client.closed;
  assert.deepEqual(
    [...sightings],
    [
      ["handler", ["a"]],
      ["data", ["a"]],
      ["end", ["a"]],
    ],
  );
});

for (const [event, request] of [
  ["upgrade", head("GET", "a", "connection: upgrade", "upgrade: echo")],
  ["connect", head("CONNECT", "a").replace("/ ", "service:80 ")],
] as const) {
  test(`${event}: all that comes on the connection afterwards belongs to the request`, async () => {
    const sightings: Sightings = new Map();
    const server = createServer().on(event, (_req: IncomingMessage, socket: Duplex) => {
      see(sightings, "handler");
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.on("data", () => see(sightings, "data"));
      socket.on("end", () => see(sightings, "end"));
      socket.on("end", () => socket.end());
    });
    await using listening = await listen(server);
    await using client = await rawClient(listening.port);
    client.write(request);
    await client.waitFor("101");
    client.write("x");
    client.end();
    await client.closed;
    assert.deepEqual(
      [...sightings],
      [
        ["handler", ["a"]],
        ["data", ["a"]],
        ["end", ["a"]],
      ],
    );
  });
}

test("an https server and an https client carry the context", async () => {
  // A key known to both in place of a certificate: nothing to make, nothing that runs out.
  const psk = { psk: Buffer.alloc(32, 7), identity: "test" };
  const tls = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;
  const server = https.createServer({ ...tls, pskCallback: () => psk.psk }, (req, res) => {
    const tenant = context.get("tenant_id");
    req
      .resume()
      .on("end", () => res.end(`${tenant} ${context.get("tenant_id")} ${context.current()?.caller}`));
  });
  await using listening = await listen(server as unknown as Server);
  const options = {
    ...tls,
    port: listening.port,
    host: "127.0.0.1",
    pskCallback: () => psk,
    checkServerIdentity: () => undefined,
  };
  const answer = await context.with({ tenant_id: "a" }, async () => {
    const [response] = await once(https.get({ ...options, agent: false }), "response");
    return text(response);
  });
  assert.equal(answer, "a a test");
});

test("a scope that the application opens around an emit of its own counts", async () => {
  const sightings: Sightings = new Map();
  const server = createServer((req, res) => {
    req.on("parsed", () => see(sightings, "parsed"));
    context.with({ tenant_id: "inner" }, () => req.emit("parsed"));
    res.end();
  });
  await using listening = await listen(server);
  await rawExchange(listening.port, head("GET", "a", "connection: close"));
  assert.deepEqual(sightings.get("parsed"), ["inner"]);
});

test("whoever listens gets what was emitted, as many values as there were, in the scope of the request or out of it", async () => {
  const server = createServer((req, res) => {
    const counts: number[] = [];
    for (const event of ["own", "data"]) req.on(event, (...values) => counts.push(values.length));
    const emitAll = (): void => {
      for (const values of [[], [1], [1, 2], [undefined, 2, 3]]) {
        for (const event of ["own", "data"]) req.emit(event, ...values);
      }
    };
    emitAll();
    context.with({ tenant_id: "inner" }, emitAll);
    res.end(counts.join(" "));
  });
  await using listening = await listen(server);
  const answer = await rawExchange(listening.port, head("GET", "a", "connection: close"));
  assert.match(answer.toString(), /0 0 1 1 2 2 3 3 0 0 1 1 2 2 3 3$/);
});

test("a request handed on to another server keeps the context it came with", async () => {
  const inner = createServer((req, res) => res.end(`${context.get("tenant_id")} ${req.headers["baggage"]}`));
  const server = createServer((req, res) => {
    req.headers["baggage"] = "tenant_id=changed";
    inner.emit("request", req, res);
  });
  await using listening = await listen(server);
  const answer = await rawExchange(listening.port, head("GET", "a", "connection: close"));
  assert.match(answer.toString(), /\r\n\r\n.*a tenant_id=changed/s);
});
