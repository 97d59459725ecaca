// What is published when an application calls out from where its context is lost.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, get } from "node:http";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { startUpstream } from "@clew/testing";
import * as undici from "undici";
import { register } from "../api.ts";
import type { LostContext } from "../lost-context.ts";
import { listen } from "./listen.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

const clients: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  http: async (url) => text((await once(get(url), "response"))[0]),
  "http without an agent": async (url) => text((await once(get(url, { agent: false }), "response"))[0]),
  fetch: async (url) => (await fetch(url)).text(),
  undici: async (url) => (await undici.request(url)).body.text(),
};

for (const [name, send] of Object.entries(clients)) {
  test(`${name}: a call from a queue that serves all requests is reported with its place, one inside a scope is not`, async () => {
    const events: LostContext[] = [];
    const onLost = (event: unknown): void => void events.push(event as LostContext);
    subscribe("clew.context.lost", onLost);
    await using upstream = await startUpstream();
    // Made outside of any scope, as a pool's or a batch's would be.
    let wake = (): void => {};
    const queue = new Promise<void>((resolve) => {
      wake = resolve;
    }).then(() => send(upstream.url));
    const server = createServer(async (_req, res) => {
      await send(upstream.url);
      wake();
      await queue;
      res.end();
    });
    await using listening = await listen(server);
    await context.with({ tenant_id: "a" }, () => send(`http://127.0.0.1:${listening.port}/`));
    unsubscribe("clew.context.lost", onLost);
    assert.equal(events.length, 1);
    assert.match(String(events[0]?.callSite), /lost-calls\.test\.[jt]s:\d+:\d+$/);
    assert.deepEqual(
      { ...events[0], callSite: "" },
      { callSite: "", host: "127.0.0.1", openRequests: 1, count: 1 },
    );
  });
}

test("a call for no request, after the last one has ended, and one to a third party, are no losses", async () => {
  const events: unknown[] = [];
  const onLost = (event: unknown): void => void events.push(event);
  subscribe("clew.context.lost", onLost);
  await using upstream = await startUpstream();
  const closed: Promise<unknown>[] = [];
  const server = createServer((_req, res) => {
    closed.push(once(res, "close"));
    res.end();
  });
  await using listening = await listen(server);
  await context.with({}, () => clients["http"]?.(`http://127.0.0.1:${listening.port}/`));
  await Promise.all(closed);
  await clients["http"]?.(upstream.url);
  const held = createServer(async (_req, res) => {
    await outside;
    res.end();
  });
  await using holding = await listen(held);
  const outside = once(held, "request").then(() =>
    fetch("http://api.example.invalid/").catch((error: Error) => error),
  );
  await context.with({}, () => clients["http"]?.(`http://127.0.0.1:${holding.port}/`));
  unsubscribe("clew.context.lost", onLost);
  assert.deepEqual(events, []);
});
