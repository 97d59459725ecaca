// Whoever listens on a request or its answer, however and whenever it began to, is called in the scope of the request.
import assert from "node:assert/strict";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { rawClient } from "@clew/testing";
import { register } from "../api.ts";
import { listen } from "./listen.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

const addingMethods = ["addListener", "on", "once", "prependListener", "prependOnceListener"] as const;

type Sightings = Record<string, unknown[]>;

function see(sightings: Sightings, place: string): void {
  sightings[place] ??= [];
  sightings[place].push(context.get("tenant_id"));
}

const post = (tenant: string): string =>
  `POST / HTTP/1.1\r\nhost: test\r\nbaggage: tenant_id=${tenant}\r\ncontent-length: 2\r\n\r\nx`;

/** Sends requests one after the other on one connection, each one's last byte by itself, so that Node reads it outside of any scope. */
async function exchange(port: number, tenants: readonly string[]): Promise<void> {
  await using client = await rawClient(port);
  for (const tenant of tenants) {
    client.write(post(tenant));
    await client.waitFor(`began ${tenant}`);
    client.write("y");
    await client.waitFor(`ended ${tenant}`);
  }
}

/** Begins the answer at once, and ends it outside of any scope of its own, when the request has ended. */
function answer(req: IncomingMessage, res: ServerResponse, tenant: unknown): void {
  res.write(`began ${tenant}\n`);
  req.on("data", () => {});
  req.on("end", () => res.end(`ended ${tenant}\n`));
}

for (const method of addingMethods) {
  test(`${method}: listeners of a request and of its answer are called in its scope`, async () => {
    const sightings: Sightings = {};
    const server = createServer((req, res) => {
      const tenant = context.get("tenant_id");
      for (const event of ["end", "close"]) req[method](event, () => see(sightings, `${tenant} ${event}`));
      for (const event of ["finish", "close"])
        res[method](event, () => see(sightings, `${tenant} answer ${event}`));
      answer(req, res, tenant);
    });
    await using listening = await listen(server);
    await exchange(listening.port, ["a", "b"]);
    const expected: Sightings = {};
    for (const tenant of ["a", "b"]) {
      for (const event of ["end", "answer finish", "answer close", "close"])
        expected[`${tenant} ${event}`] = [tenant];
    }
    assert.deepEqual(sightings, expected);
  });
}

test("listeners that a class of the application's adds when it is constructed, before there is a scope, are called in it", async () => {
  const sightings: Sightings = {};
  class OwnRequest extends IncomingMessage {
    constructor(...args: ConstructorParameters<typeof IncomingMessage>) {
      super(...args);
      this.on("end", () => see(sightings, "request"));
    }
  }
  class OwnAnswer extends ServerResponse<OwnRequest> {
    constructor(...args: ConstructorParameters<typeof ServerResponse<OwnRequest>>) {
      super(...args);
      this.on("finish", () => see(sightings, "answer"));
    }
  }
  const server = createServer({ IncomingMessage: OwnRequest, ServerResponse: OwnAnswer }, (req, res) => {
    answer(req, res, context.get("tenant_id"));
  });
  await using listening = await listen(server);
  await exchange(listening.port, ["a", "b"]);
  assert.deepEqual(sightings, { request: ["a", "b"], answer: ["a", "b"] });
});

test("listeners added through an object that is derived from the request are called in its scope", async () => {
  const sightings: Sightings = {};
  const server = createServer((req, res) => {
    const derived: IncomingMessage = Object.create(req);
    derived.on("end", () => see(sightings, "end"));
    res.write(`began ${context.get("tenant_id")}\n`);
    derived.resume();
    derived.on("end", () => res.end(`ended ${context.get("tenant_id")}\n`));
  });
  await using listening = await listen(server);
  await exchange(listening.port, ["a", "b"]);
  assert.deepEqual(sightings, { end: ["a", "b"] });
});

test("an emit that the application puts on a request, before and after it listens, is called once for each event", async () => {
  const emitted: unknown[] = [];
  const sightings: Sightings = {};
  const server = createServer((req, res) => {
    const replaceEmit = (name: string): void => {
      const { emit } = req;
      req.emit = function (this: IncomingMessage, event: string, ...values: unknown[]) {
        if (event === "end") emitted.push(name);
        return Reflect.apply(emit, this, [event, ...values]);
      } as typeof emit;
    };
    replaceEmit("first");
    req.on("end", () => see(sightings, "end"));
    replaceEmit("second");
    answer(req, res, context.get("tenant_id"));
  });
  await using listening = await listen(server);
  await exchange(listening.port, ["a"]);
  assert.deepEqual([emitted, sightings], [["second", "first"], { end: ["a"] }]);
});

test("a request and an answer on which nobody listens are left as Node made them; with a listener, no key shows", async () => {
  const own: boolean[] = [];
  const server = createServer((req, res) => {
    const hasOwn = (): boolean[] => [Object.hasOwn(req, "emit"), Object.hasOwn(res, "emit")];
    own.push(...hasOwn());
    req.on("custom", () => {});
    const keys = Object.keys(req);
    own.push(...hasOwn());
    req.on("end", () => {});
    own.push(...hasOwn());
    assert.deepEqual(Object.keys(req), keys);
    answer(req, res, context.get("tenant_id"));
  });
  await using listening = await listen(server);
  await exchange(listening.port, ["a"]);
  assert.deepEqual(own, [false, false, false, false, true, false]);
});
