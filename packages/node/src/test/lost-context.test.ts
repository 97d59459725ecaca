// Not beside the module, since frames of the module's own folder are no call sites.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, test } from "node:test";
import { createLostContexts, type LostContext } from "../lost-context.ts";

let events: LostContext[] = [];
const onLost = (event: unknown): void => void events.push(event as LostContext);
beforeEach(() => {
  events = [];
  subscribe("clew.context.lost", onLost);
});
afterEach(() => unsubscribe("clew.context.lost", onLost));

test("nothing is a loss while no request is open, and a request is open from its beginning to its end, once", () => {
  const lost = createLostContexts();
  const [first, second] = [{}, {}];
  lost.report("orders");
  lost.opened(first);
  lost.opened(first);
  lost.opened(second);
  lost.report("orders");
  lost.closed(first);
  lost.closed(first);
  assert.equal(lost.isWatching, true);
  lost.closed(second);
  lost.closed({});
  assert.equal(lost.isWatching, false);
  lost.report("orders");
  assert.deepEqual(
    events.map(({ host, openRequests, count }) => [host, openRequests, count]),
    [["orders", 2, 1]],
  );
});

test("with nobody listening nothing is counted, so what opened before somebody did is not missed later", () => {
  unsubscribe("clew.context.lost", onLost);
  const lost = createLostContexts();
  const early = {};
  lost.opened(early);
  assert.equal(lost.isWatching, false);
  subscribe("clew.context.lost", onLost);
  lost.closed(early);
  assert.equal(lost.isWatching, false);
});

test("each place is reported at once, and then once per minute with what was counted meanwhile", () => {
  let nowMs = 0;
  const lost = createLostContexts(() => nowMs);
  lost.opened({});
  const here = (): void => lost.report("orders");
  const there = (): void => lost.report("orders");
  here();
  there();
  for (; nowMs < 60_000; nowMs += 10_000) here();
  assert.deepEqual(
    events.map(({ count }) => count),
    [1, 1],
  );
  here();
  assert.equal(events.at(-1)?.count, 7);
  assert.match(String(events[0]?.callSite), /lost-context\.test\.[jt]s:\d+:\d+$/);
  assert.notEqual(events[0]?.callSite, events[1]?.callSite);
});

test("a loss in a busy loop, from ever new places, costs a bounded number of stacks and of places kept", () => {
  let nowMs = 0;
  let stacks = 0;
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.prepareStackTrace = () => {
    stacks += 1;
    return `Error\n    at f (/app/${stacks}.js:1:1)`;
  };
  try {
    const lost = createLostContexts(() => nowMs);
    lost.opened({});
    for (let call = 0; call < 1_000; call++) lost.report("orders");
    assert.equal(stacks, 50);
    nowMs = 1_000;
    for (let call = 0; call < 1_000; call++) lost.report("orders");
    assert.deepEqual([stacks, events.length], [100, 64]);
    nowMs = 62_000;
    lost.report("orders");
    assert.equal(events.length, 65);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
  assert.equal(Error.stackTraceLimit, stackTraceLimit);
});

test("the call site is the application's before a library's, and an application that spoils stacks loses only it", () => {
  const { prepareStackTrace } = Error;
  const lost = createLostContexts();
  lost.opened({});
  const library = "    at send (/app/node_modules/client/index.js:3:4)";
  const stacks: unknown[] = [
    `Error\n    at node:internal/x:1:1\n${library}\n    at async load (file:///app/main.js:5:6)`,
    `Error\n${library}\n    at node:net:1:1`,
    "Error\n    at C:\\app\\main.js:7:8",
    undefined,
    { odd: 1 },
  ];
  for (const stack of stacks) {
    Error.prepareStackTrace = () => stack;
    try {
      lost.report("orders");
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  }
  assert.deepEqual(
    events.map(({ callSite }) => callSite),
    ["file:///app/main.js:5:6", "/app/node_modules/client/index.js:3:4", "C:\\app\\main.js:7:8", undefined],
  );
});
