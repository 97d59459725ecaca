import assert from "node:assert/strict";
import type { RegistryLike, RegistryUnderTest, WatchEventLike } from "./registry-contract-types.ts";

type Check = (title: string, run: (subject: RegistryUnderTest) => Promise<void>) => void;

/** `+key=value` and `-key`: what a watch told, at a glance. */
function tell(event: WatchEventLike): string {
  if (event.kind === "put") return `+${event.entry.key}=${event.entry.value}`;
  return event.kind === "delete" ? `-${event.key}` : "compacted";
}

/** Watches until an event tells `last`. */
export async function watchUntil(
  registry: RegistryLike,
  prefix: string,
  afterRevision: number,
  last: string,
): Promise<{ told: string[]; revisions: number[] }> {
  const ended = new AbortController();
  const told: string[] = [];
  const revisions: number[] = [];
  for await (const event of registry.watch(prefix, afterRevision, ended.signal)) {
    told.push(tell(event));
    revisions.push(event.kind === "put" ? event.entry.revision : event.revision);
    if (told.at(-1) === last) ended.abort();
  }
  return { told, revisions };
}

export function registryWatchCases(check: Check): void {
  check("a watch tells what came before it began and after, in order", async ({ registry }) => {
    const { revision: start } = await registry.list("");
    await registry.put("w/a", "1");
    await registry.put("w/b", "1");
    await registry.put("v/x", "beside");
    const watching = watchUntil(registry, "w/", start, "+w/end=");
    await registry.put("w/a", "2");
    await registry.delete("w/none");
    await registry.delete("w/b");
    await registry.put("wx", "beside");
    await registry.put("w/end", "");
    const { told, revisions } = await watching;
    assert.deepEqual(told, ["+w/a=1", "+w/b=1", "+w/a=2", "-w/b", "+w/end="]);
    assert.deepEqual(
      revisions,
      [...revisions].sort((a, b) => a - b),
    );
    const later = await watchUntil(registry, "w/", revisions[1] ?? 0, "+w/end=");
    assert.deepEqual(later.told, ["+w/a=2", "-w/b", "+w/end="]);
  });

  check("a watch tells a transaction's writes at one revision", async ({ registry }) => {
    const { revision: start } = await registry.list("");
    await registry.put("t/old", "1");
    const puts = [
      { key: "t/z", value: "1" },
      { key: "t/a", value: "1" },
    ];
    await registry.transaction({ puts, deletes: ["t/none", "t/old"] });
    await registry.put("t/end", "");
    const { told, revisions } = await watchUntil(registry, "t/", start, "+t/end=");
    assert.deepEqual(told, ["+t/old=1", "+t/z=1", "+t/a=1", "-t/old", "+t/end="]);
    assert.equal(new Set(revisions.slice(1, 4)).size, 1);
  });

  check("a watch from a revision yet to come waits for it", async ({ registry }) => {
    const { revision } = await registry.list("");
    const watching = watchUntil(registry, "", revision + 1, "+third=");
    for (const key of ["first", "second", "third"]) await registry.put(key, "");
    assert.deepEqual((await watching).told, ["+second=", "+third="]);
  });

  check("two watches tell the same, and the end of one leaves the other", async ({ registry }) => {
    const { revision } = await registry.list("");
    const short = watchUntil(registry, "", revision, "+a=5");
    const long = watchUntil(registry, "", revision, "+a=99");
    for (let value = 0; value < 100; value += 1) await registry.put("a", `${value}`);
    assert.equal((await short).told.length, 6);
    const all = Array.from({ length: 100 }, (_, value) => `+a=${value}`);
    assert.deepEqual((await long).told, all);
  });

  check("abort ends a watch that waits, and one that has not begun", async ({ registry }) => {
    const { revision } = await registry.list("");
    const aborted = new AbortController();
    const waiting = registry.watch("", revision, aborted.signal)[Symbol.asyncIterator]();
    const next = waiting.next();
    aborted.abort();
    assert.equal((await next).done, true);
    const never = registry.watch("", revision, aborted.signal)[Symbol.asyncIterator]();
    assert.equal((await never.next()).done, true);
  });

  check("closing the registry ends its watches", async ({ registry }) => {
    const { revision } = await registry.list("");
    const watch = registry.watch("", revision, new AbortController().signal)[Symbol.asyncIterator]();
    const next = watch.next();
    await registry.put("a", "1");
    assert.equal((await next).done, false);
    const last = watch.next();
    await registry.close();
    assert.equal((await last).done, true);
  });

  check("a watch from before the kept history says so and ends", async ({ registry, compact }) => {
    const { revision: old } = await registry.list("");
    await registry.put("c/a", "1");
    await registry.put("c/a", "2");
    await compact();
    const events: WatchEventLike[] = [];
    for await (const event of registry.watch("c/", old, new AbortController().signal)) events.push(event);
    assert.deepEqual(events.map(tell), ["compacted"]);
    const { entries, revision } = await registry.list("c/");
    assert.deepEqual(
      entries.map((entry) => entry.value),
      ["2"],
    );
    const watching = watchUntil(registry, "c/", revision, "+c/end=");
    await registry.put("c/end", "");
    assert.deepEqual((await watching).told, ["+c/end="]);
  });

  check("a listing and the watch after it miss no write and tell none twice", async ({ registry }) => {
    const write = async (writer: number): Promise<void> => {
      for (let round = 0; round < 15; round += 1) {
        const key = `f/${writer}/${round % 4}`;
        if (round % 5 === 4) await registry.delete(key);
        else await registry.put(key, `${round}`);
      }
    };
    const writing = Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    const { entries, revision } = await registry.list("f/");
    const view = new Map(entries.map((entry) => [entry.key, entry.value]));
    const ended = new AbortController();
    const following = (async () => {
      let previous = revision;
      for await (const event of registry.watch("f/", revision, ended.signal)) {
        const at = event.kind === "put" ? event.entry.revision : event.revision;
        assert.ok(at > previous, `revision ${at} after ${previous}`);
        previous = at;
        if (event.kind === "put") view.set(event.entry.key, event.entry.value);
        else if (event.kind === "delete") view.delete(event.key);
        if (view.has("f/end")) ended.abort();
      }
    })();
    await writing;
    await registry.put("f/end", "");
    await following;
    const final = await registry.list("f/");
    assert.deepEqual([...view].sort(), final.entries.map((entry) => [entry.key, entry.value]).sort());
  });
}
