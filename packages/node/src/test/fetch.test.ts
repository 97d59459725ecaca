// Node's own fetch by Node's own dispatcher, where the headers are put into the request that undici has made.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { type Echo, startUpstream } from "@clew/testing";
import * as undici from "undici";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";

const requestChannel = "undici:request:create";

/** Somebody who was there before us, and in the last test spoils each request. */
let isFreezing = false;
subscribe(requestChannel, (message) => {
  if (isFreezing) Object.freeze((message as { request: CreatedRequest }).request.headers);
});

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

interface CreatedRequest {
  readonly path: string;
  readonly headers: string[];
}

/** Has something done wherever undici has made a request, behind what propagation does there. */
async function withSubscriber(
  onRequest: (request: CreatedRequest) => void,
  run: () => Promise<void>,
): Promise<void> {
  const subscriber = (message: unknown): void => onRequest((message as { request: CreatedRequest }).request);
  subscribe(requestChannel, subscriber);
  try {
    await run();
  } finally {
    unsubscribe(requestChannel, subscriber);
  }
}

async function reached(url: string, init?: RequestInit): Promise<Record<string, string>> {
  const { rawHeaders } = (await (await fetch(url, init)).json()) as Echo;
  return contextHeaders(rawHeaders);
}

const scoped = <T>(tenant_id: string, fn: () => T): T => context.with({ tenant_id }, fn);

test("what looks at a request, as a tracer does, sees the context in it, once, as it goes out", async () => {
  await using upstream = await startUpstream();
  const seen: Record<string, string>[] = [];
  await withSubscriber(
    ({ headers }) => void seen.push(contextHeaders(headers)),
    async () => {
      for (const tenant of ["a", "b"]) {
        const sent = { baggage: `tenant_id=${tenant}`, "x-forrst-caller": "test" };
        assert.deepEqual(await scoped(tenant, () => reached(upstream.url)), sent);
        assert.deepEqual(seen.splice(0), [sent]);
      }
    },
  );
});

test("headers of the application's own are joined with the context, and its body is sent", async () => {
  await using upstream = await startUpstream();
  const own = { baggage: "mine=1", "X-Own": "1" };
  assert.deepEqual(await scoped("a", () => reached(upstream.url, { headers: own })), {
    baggage: "mine=1",
    "x-forrst-caller": "test",
  });
  const init = { method: "POST", body: "x", headers: { "content-type": "text/plain" } };
  const answer = await scoped("a", () => fetch(upstream.url, init));
  const { body, rawHeaders } = (await answer.json()) as Echo;
  assert.deepEqual([body, contextHeaders(rawHeaders)["baggage"]], ["x", "tenant_id=a"]);
  assert.ok(rawHeaders.includes("text/plain"));
});

test("a request that is made where another one is being made carries its own context, and so does the other", async () => {
  await using upstream = await startUpstream();
  let inner: Promise<Record<string, string>> | undefined;
  const dispatcher = Reflect.get(globalThis, Symbol.for("undici.globalDispatcher.1"));
  const dispatchInner = (): Promise<Record<string, string>> =>
    new Promise((resolve, reject) => {
      let text = "";
      dispatcher.dispatch(
        { origin: upstream.url, path: "/inner", method: "GET", headers: {} },
        {
          onConnect() {},
          onHeaders: () => true,
          onData(chunk: Buffer) {
            text += chunk;
            return true;
          },
          onComplete: () => resolve(contextHeaders(JSON.parse(text).rawHeaders)),
          onError: reject,
        },
      );
    });
  await withSubscriber(
    ({ path }) => {
      if (path === "/outer") inner = scoped("inner", dispatchInner);
    },
    async () => {
      const outer = await scoped("outer", () => reached(`${upstream.url}/outer`));
      assert.equal(outer["baggage"], "tenant_id=outer");
      assert.equal((await inner)?.["baggage"], "tenant_id=inner");
    },
  );
});

test("a request that cannot be added to goes out without, and the next ones get theirs by their options again", async (t) => {
  const warnings = t.mock.method(process, "emitWarning", () => {});
  await using upstream = await startUpstream();
  // Of a version that has nothing of the application's look at what it is given, as Node 20 has not.
  const dispatcher = new undici.Agent();
  const send = () => scoped("a", () => reached(upstream.url, { dispatcher } as unknown as RequestInit));
  isFreezing = true;
  assert.deepEqual(await send(), {});
  isFreezing = false;
  assert.deepEqual(await send(), { baggage: "tenant_id=a", "x-forrst-caller": "test" });
  assert.match(
    String(warnings.mock.calls[0]?.arguments[0]),
    /^Clew no longer carries contexts through fetch, /,
  );
  await dispatcher.close();
});
