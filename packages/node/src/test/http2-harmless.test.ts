// I9 for HTTP/2 and gRPC: whatever goes wrong in propagation, the application is served as if it were not there.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import http2, { createServer, type Http2Server } from "node:http2";
import { test } from "node:test";
import { context } from "@clew/context";
import * as grpc from "@grpc/grpc-js";
import { register } from "../api.ts";
import { startPeers } from "./apps/grpc-call.ts";
import { answerTo, http2Pair } from "./http2-pair.ts";

const echo = (): Http2Server =>
  createServer((req, res) => res.end(`${context.get("tenant_id")} from ${req.headers["x-forrst-caller"]}`));

/** The warnings that come while `run` runs. */
async function warningsOf(run: () => Promise<void>): Promise<string> {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", onWarning);
  await run();
  await new Promise(setImmediate);
  process.off("warning", onWarning);
  return warnings.join("\n");
}

test("disable puts everything back, also while streams are open; register starts it anew", async () => {
  await using pair = await http2Pair(echo());
  const client = Object.getPrototypeOf(pair.session);
  const runtime = (): unknown =>
    [client, Object.getPrototypeOf(client), grpc.Channel.prototype].map((owner) =>
      Object.getOwnPropertyDescriptors(owner),
    );
  const before = runtime();
  for (const service of ["first", "second"]) {
    const registration = register({ service, warnMissing: false });
    assert.notDeepEqual(runtime(), before);
    assert.equal(await pair.send(), `undefined from ${service}`);
    const open = context.with({ tenant_id: "a" }, () => pair.session.request({}, { endStream: false }));
    await new Promise(setImmediate);
    registration.disable();
    assert.deepEqual(runtime(), before);
    assert.match(await answerTo(open), /from first|from second/);
    assert.equal(await pair.send(), "undefined from undefined");
  }
});

test("a fault on the way out: requests and calls leave without context and answer as ever, and one warning each says so", async () => {
  const destinations = {
    get internal(): never {
      throw new Error("no policy today");
    },
  };
  const warnings = await warningsOf(async () => {
    const registration = register({ service: "test", destinations, warnMissing: false });
    await using pair = await http2Pair(echo());
    const peers = await startPeers(grpc);
    for (let count = 0; count < 2; count++) {
      assert.equal(await context.with({ tenant_id: "a" }, () => pair.send()), "undefined from undefined");
      assert.equal(await peers.call("a"), "undefined from ");
    }
    peers.close();
    registration.disable();
  });
  assert.equal(warnings.split("\n").length, 2, warnings);
  assert.match(warnings, /http2\.client.*no policy today\b(.|\n)*grpc-js.*no policy today/);
});

test("a node:http2 that is not as expected costs HTTP/2, and the rest goes on", async () => {
  const { connect } = http2;
  const warnings = await warningsOf(async () => {
    Object.assign(http2, {
      connect: () => {
        throw new Error("no sessions today");
      },
    });
    const registration = register({ service: "test", warnMissing: false });
    Object.assign(http2, { connect });
    await using pair = await http2Pair(echo());
    assert.equal(await pair.send(), "undefined from undefined");
    registration.disable();
  });
  assert.match(warnings, /through http2, .*no sessions today/);
});

test("a request made outside of any scope while another is served is named, with the place that made it", async () => {
  const registration = register({ service: "test", warnMissing: false });
  const events: unknown[] = [];
  const onLost = (event: unknown): void => void events.push(event);
  subscribe("clew.context.lost", onLost);
  const server = createServer((_req, res) => res.write("open"));
  await using pair = await http2Pair(server);
  const open = pair.session.request({ "x-forrst-caller": "test" });
  await once(open, "data");
  const lost = pair.session.request();
  await once(lost, "data");
  unsubscribe("clew.context.lost", onLost);
  registration.disable();
  assert.equal(events.length, 1);
  const [{ callSite, host, openRequests }] = events as [
    { callSite: string; host: string; openRequests: number },
  ];
  assert.match(callSite, /http2-harmless\.test\.[jt]s:\d+:\d+/);
  assert.deepEqual([host, openRequests], ["127.0.0.1", 1]);
});
