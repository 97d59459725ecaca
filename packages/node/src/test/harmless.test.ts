// I9: whatever goes wrong in propagation, the application is served as if it were not there.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, ClientRequest, createServer, get, IncomingMessage, ServerResponse } from "node:http";
import { Server } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { context } from "@clew/context";
import { startUpstream } from "@clew/testing";
import { register } from "../api.ts";
import { listen } from "./listen.ts";

const owners = [Server.prototype, IncomingMessage.prototype, ServerResponse.prototype, Agent.prototype];

/** All that a registration may change, as it is now. */
const runtime = (): unknown =>
  [...owners, ClientRequest.prototype].map((owner) => Object.getOwnPropertyDescriptors(owner));

async function getText(url: string): Promise<string> {
  const [response] = (await once(get(url), "response")) as [IncomingMessage];
  return text(response);
}
const fetchText = async (url: string): Promise<string> => (await fetch(url)).text();

test("disable puts everything back, also while requests are open; register starts it anew", async () => {
  await using upstream = await startUpstream({
    handle: (req, res) => res.end(req.headers["x-forrst-caller"]),
  });
  const before = [runtime(), fetch];
  for (const service of ["first", "second"]) {
    const registration = register({ service, warnMissing: false });
    assert.equal(register({ service: "another" }), registration);
    assert.deepEqual([await getText(upstream.url), await fetchText(upstream.url)], [service, service]);
    const open = [getText(upstream.url), fetchText(upstream.url)];
    registration.disable();
    assert.equal(registration.active, false);
    assert.equal((await Promise.all(open)).length, 2);
    assert.deepEqual([runtime(), fetch], before);
    assert.deepEqual([await getText(upstream.url), await fetchText(upstream.url)], ["", ""]);
  }
});

test("a fault on the way out: calls leave without context and answer as ever, and one warning per client says so", async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", onWarning);
  const destinations = {
    get internal(): never {
      throw new Error("no policy today");
    },
  };
  const registration = register({ service: "test", destinations, warnMissing: false });
  await using upstream = await startUpstream({
    handle: (req, res) => res.end(String(req.headers["baggage"])),
  });
  await context.with({ tenant_id: "acme" }, async () => {
    for (let count = 0; count < 2; count++) {
      assert.equal(await getText(upstream.url), "undefined");
      assert.equal(await fetchText(upstream.url), "undefined");
    }
  });
  registration.disable();
  process.off("warning", onWarning);
  assert.equal(warnings.length, 2);
  assert.match(warnings.join("\n"), /http\.client.*no policy today(.|\n)*fetch.*no policy today/);
});

test("a fault on the way in: the request is served, without context", async () => {
  const registration = register({ service: "test", warnMissing: false });
  class BrokenMessage extends IncomingMessage {}
  const unreadable = {
    host: "test",
    get baggage(): never {
      throw new Error("no headers today");
    },
  };
  Object.defineProperty(BrokenMessage.prototype, "headers", { get: () => unreadable });
  const options = { IncomingMessage: BrokenMessage };
  const server = createServer(options, (_req, res) => res.end(String(context.get("tenant_id"))));
  await using listening = await listen(server);
  const warned = once(process, "warning");
  const url = `http://127.0.0.1:${listening.port}`;
  const answers = context.with({ tenant_id: "acme" }, () => [getText(url), getText(url)]);
  assert.deepEqual(await Promise.all(answers), ["undefined", "undefined"]);
  registration.disable();
  assert.match((await warned)[0].message, /http\.server.*no headers today/);
});

test("errors that a client or a listener throws stay what they are", async () => {
  const registration = register({ service: "test", warnMissing: false });
  assert.throws(() => get("http://127.0.0.1", { headers: ["odd"] }), { code: "ERR_INVALID_ARG_VALUE" });
  assert.throws(() => get("http://127.0.0.1", { headers: { "a b": "c" } }), {
    code: "ERR_INVALID_HTTP_TOKEN",
  });
  await assert.rejects(fetch("http://127.0.0.1:1/"), (error: Error) =>
    /fetch failed|bad port/.test(String(error) + error.cause),
  );
  await assert.rejects(fetch("ftp://127.0.0.1/"), TypeError);
  const thrown = new Error("the application's own");
  const server = new Server().on("request", () => {
    throw thrown;
  });
  const request = new IncomingMessage(undefined as never);
  assert.throws(() => server.emit("request", request, new ServerResponse(request)), thrown);
  registration.disable();
});

test("requests that a test emits with a stand-in for the answer, or none, have a context all the same", () => {
  const registration = register({ service: "test", warnMissing: false });
  const seen: unknown[] = [];
  const server = new Server().on("request", () => seen.push(context.current()?.get("tenant_id")));
  const standIn = {};
  for (const answer of [standIn, undefined]) {
    const request = new IncomingMessage(undefined as never);
    request.headers["baggage"] = "tenant_id=acme";
    server.emit("request", request, answer);
  }
  registration.disable();
  assert.deepEqual([seen, Reflect.ownKeys(standIn)], [["acme", "acme"], []]);
});
