import assert from "node:assert/strict";
import { test } from "node:test";
import type { Override, Rule } from "@clew/routing";
import fc from "fast-check";
import { DirectoryState } from "./directory-state.ts";
import { formatRecord, recordKey, type SessionRecord } from "./records.ts";
import type { Entry, WatchEvent } from "./registry/registry.ts";

type Change = Exclude<WatchEvent, { kind: "compacted" }>;

const sessionOf = (id: string, epoch: number): SessionRecord => ({
  id,
  owner: "alice",
  host: "laptop",
  openedAt: 1,
  epoch,
  tokenHash: "",
  lease: "1",
  relay: "r:1",
  connected: false,
});

const overrideOf = (id: string, service: string, session: string): Override => ({
  id,
  route: "blue",
  service,
  port: "http",
  target: { kind: "tunnel", session, port: 1, relay: "r:1" },
  owner: "alice",
  session,
  createdAt: 1,
  onFailure: "live",
});

const ruleOf = (id: string, service: string, session: string): Rule => ({
  id,
  service,
  port: "http",
  owner: "alice",
  priority: 0,
  conditions: [],
  override: overrideOf(id, service, session),
  createdAt: 1,
});

const id = fc.constantFrom("a", "b", "c/d");
const write = fc.oneof(
  fc
    .tuple(id, fc.integer({ min: 1, max: 3 }))
    .map(([key, epoch]) => [recordKey("sessions", key), formatRecord("sessions", sessionOf(key, epoch))]),
  fc
    .tuple(id, id, id)
    .map(([key, service, session]) => [
      recordKey("overrides", key),
      formatRecord("overrides", overrideOf(key, service, session)),
    ]),
  fc
    .tuple(id, id, id)
    .map(([key, service, session]) => [
      recordKey("rules", key),
      formatRecord("rules", ruleOf(key, service, session)),
    ]),
  id.map((key) => [recordKey("services", key), formatRecord("services", { name: key, ports: {}, env: {} })]),
  id.map((key) => [recordKey("previews", key), "null"]),
) as fc.Arbitrary<[key: string, value: string]>;
const step = fc.record({ write, isDelete: fc.boolean() });

/** The events that a registry would tell of such writes, and what it would list after them. */
function play(steps: ReadonlyArray<{ write: [string, string]; isDelete: boolean }>): {
  events: Change[];
  listing: Entry[];
} {
  const entries = new Map<string, Entry>();
  const events = steps.map(({ write: [key, value], isDelete }, index): Change => {
    const revision = index + 1;
    if (isDelete) {
      entries.delete(key);
      return { kind: "delete", key, revision };
    }
    const entry = { key, value, revision };
    entries.set(key, entry);
    return { kind: "put", entry };
  });
  return { events, listing: [...entries.values()] };
}

function snapshot(state: DirectoryState): unknown {
  const names = ["a", "b", "c/d"];
  const sorted = <Value extends { readonly id: string }>(values: readonly Value[]) =>
    [...values].sort((left, right) => (left.id < right.id ? -1 : 1));
  return {
    sessions: new Map([...state.sessions].sort()),
    services: new Set(state.services.keys()),
    previews: new Set(state.previews.keys()),
    overrides: names.map((name) => [
      sorted(state.overrides.ofService(name)),
      sorted(state.overrides.ofSession(name)),
    ]),
    rules: names.map((name) => [sorted(state.rules.ofService(name)), sorted(state.rules.ofSession(name))]),
    seen: names.map((name) => state.lastSeenMs(name) !== undefined),
  };
}

test("a listing after a gap brings the state to where every single event would have", () => {
  fc.assert(
    fc.property(fc.array(step), fc.nat(), (steps, cut) => {
      const { events, listing } = play(steps);
      const whole = new DirectoryState(() => 0);
      for (const event of events) whole.apply(event);
      const gapped = new DirectoryState(() => 0);
      for (const event of events.slice(0, cut % (events.length + 1))) gapped.apply(event);
      for (const event of gapped.eventsTo(listing, events.length)) gapped.apply(event);
      assert.deepEqual(snapshot(gapped), snapshot(whole));
    }),
  );
});

test("only opening, resuming and beats are signs of life", () => {
  let nowMs = 0;
  const state = new DirectoryState(() => nowMs);
  let revision = 0;
  const seenAfter = (atMs: number, key: string, value: string): number | undefined => {
    nowMs = atMs;
    state.apply({ kind: "put", entry: { key, value, revision: ++revision } });
    return state.lastSeenMs("a");
  };
  const put = (atMs: number, record: SessionRecord) =>
    seenAfter(atMs, recordKey("sessions", "a"), JSON.stringify(record));
  assert.equal(put(1, sessionOf("a", 1)), 1);
  assert.equal(put(2, { ...sessionOf("a", 1), connected: true }), 1);
  assert.equal(seenAfter(3, recordKey("beats", "a"), "{}"), 3);
  assert.equal(put(4, sessionOf("a", 2)), 4);
});

test("what a session's end changes are the tables that its overrides are in, and no others", () => {
  const state = new DirectoryState(() => 0);
  const put = (key: string, value: string) =>
    state.apply({ kind: "put", entry: { key, value, revision: 1 } });
  put(recordKey("sessions", "s"), JSON.stringify(sessionOf("s", 1)));
  put(recordKey("overrides", "o"), JSON.stringify(overrideOf("o", "pricing", "s")));
  put(recordKey("overrides", "p"), JSON.stringify(overrideOf("p", "orders", "other")));
  state.takeChange();
  state.apply({ kind: "delete", key: recordKey("sessions", "s"), revision: 2 });
  assert.deepEqual(state.takeChange(), {
    services: new Set(["pricing"]),
    ended: new Set(["s"]),
    previews: false,
    keys: false,
  });
});

test("a record that cannot be read is reported, and keys of another layout are passed over", () => {
  const state = new DirectoryState(() => 0);
  const put = (key: string, value: string) =>
    state.apply({ kind: "put", entry: { key, value, revision: 1 } });
  assert.throws(() => put(recordKey("rules", "r"), "{"), SyntaxError);
  for (const key of ["v2/rules/r", "v1/unknown/r", "v1/rules", "v1/rules/r/s", ""]) put(key, "{");
  assert.equal(state.rules.byId.size, 0);
});
