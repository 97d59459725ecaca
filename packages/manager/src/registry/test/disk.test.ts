import assert from "node:assert/strict";
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startProcess, temporaryDirectory } from "@clew/testing";
import fc from "fast-check";
import { createMemoryRegistry, type MemoryRegistryOptions } from "../memory.ts";
import { encodeRecord, parseRecordFile } from "../record-file.ts";
import type { Registry, WatchEvent } from "../registry.ts";
import type { RegistryReport } from "../report.ts";
import { createManualClock } from "./manual-clock.ts";

const never = new AbortController().signal;

/** Opens, does, closes. */
async function within<T>(
  options: MemoryRegistryOptions,
  run: (registry: Registry) => Promise<T>,
): Promise<T> {
  const registry = await createMemoryRegistry(options);
  try {
    return await run(registry);
  } finally {
    await registry.close();
  }
}

test("a restart keeps entries, revisions and what watchers had not seen", async () => {
  await using directory = await temporaryDirectory();
  const options = { directory: directory.path };
  const before = await within(options, async (registry) => {
    await registry.put("a", "1");
    await registry.put("b", "ä😀\n");
    await registry.put("a", "2");
    await registry.delete("b");
    await registry.put("c", "3");
    return registry.list("");
  });
  await within(options, async (registry) => {
    assert.deepEqual(await registry.list(""), before);
    const events: WatchEvent[] = [];
    for await (const event of registry.watch("", 3, never)) {
      events.push(event);
      if (events.length === 2) break;
    }
    assert.deepEqual(events, [
      { kind: "delete", key: "b", revision: 4 },
      { kind: "put", entry: { key: "c", value: "3", revision: 5 } },
    ]);
    assert.deepEqual(await registry.put("d", ""), { ok: true, revision: 6 });
  });
});

test("after a restart leases run anew with all their time, and those that ended stay ended", async () => {
  await using directory = await temporaryDirectory();
  const first = createManualClock();
  const kept = await within({ directory: directory.path, clock: first }, async (registry) => {
    const short = await registry.lease(1_000);
    const long = await registry.lease(10_000);
    await registry.put("short", "", { lease: short.id });
    await registry.put("long", "", { lease: long.id });
    first.advance(9_999);
    await registry.delete("none");
    return long.id;
  });
  const second = createManualClock();
  await within({ directory: directory.path, clock: second }, async (registry) => {
    second.advance(9_999);
    await registry.delete("none");
    assert.deepEqual(
      (await registry.list("")).entries.map((entry) => entry.key),
      ["long"],
    );
    assert.equal(await (await registry.findLease(kept))?.keepAlive(), true);
    second.advance(10_000);
    await registry.delete("none");
    assert.equal((await registry.list("")).entries.length, 0);
  });
});

test("whatever is written is there after restarts, snapshots between or not", async () => {
  const key = fc.constantFrom("a", "a/b", "b", "ü", "😀");
  const operation = fc.record({
    key,
    value: fc.option(fc.string({ unit: "binary" })),
    restart: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 15 }), async (operations) => {
      await using directory = await temporaryDirectory();
      const options = { directory: directory.path, limits: { journalBytes: 300 } };
      const expected = new Map<string, string>();
      let registry = await createMemoryRegistry(options);
      let last = 0;
      for (const { key, value, restart } of operations) {
        const result = value === null ? await registry.delete(key) : await registry.put(key, value);
        if (value === null) expected.delete(key);
        else expected.set(key, value);
        assert.ok(result.ok && result.revision >= last);
        last = result.revision;
        if (!restart) continue;
        await registry.close();
        registry = await createMemoryRegistry(options);
      }
      const { entries, revision } = await registry.list("");
      await registry.close();
      assert.deepEqual(new Map(entries.map((entry) => [entry.key, entry.value])), expected);
      assert.equal(revision, last);
    }),
    { numRuns: 15 },
  );
});

test("a record torn at any byte is dropped alone and told, and writing goes on", async () => {
  await using directory = await temporaryDirectory();
  const options = { directory: directory.path };
  const journal = join(directory.path, "journal");
  await within(options, async (registry) => {
    await registry.put("kept", "1");
    await registry.put("torn", "x");
  });
  const whole = await readFile(journal);
  const start = whole.lastIndexOf("\n", whole.length - 2) + 1;
  for (let end = start + 1; end < whole.length; end += 1) {
    await writeFile(journal, whole.subarray(0, end));
    const reports: RegistryReport[] = [];
    await within({ ...options, onReport: (report) => reports.push(report) }, async (registry) => {
      assert.deepEqual(
        (await registry.list("")).entries.map((entry) => entry.key),
        ["kept"],
      );
      await registry.put("after", "1");
    });
    assert.deepEqual(reports, [{ kind: "journal-torn", file: journal, offset: start, bytes: end - start }]);
    await within(options, async (registry) => assert.ok(await registry.get("after")));
  }
});

test("a changed byte anywhere is found, and the error names file, place and what to do", async () => {
  await using directory = await temporaryDirectory();
  const options = { directory: directory.path };
  await within({ ...options, limits: { journalBytes: 150 } }, async (registry) => {
    for (const key of ["a", "b"]) await registry.put(key, "value");
  });
  await within(options, async (registry) => {
    for (const key of ["c", "d"]) await registry.put(key, "value");
  });
  for (const name of ["snapshot", "journal"]) {
    const file = join(directory.path, name);
    const whole = await readFile(file);
    assert.ok(whole.length > 50, `${name} has something to damage`);
    for (let at = 0; at < whole.length - 1; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x01;
      await writeFile(file, damaged);
      const start = whole.lastIndexOf("\n", at - 1) + 1;
      await assert.rejects(
        createMemoryRegistry(options),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, "E_REGISTRY_CORRUPT");
          assert.ok(
            error.message.includes(`${file} is damaged at byte ${at === 0 ? 0 : start}`),
            error.message,
          );
          return error.hint !== undefined;
        },
      );
    }
    await writeFile(file, whole);
  }
  await within(options, async (registry) => assert.equal((await registry.list("")).entries.length, 4));
});

test("a record missing in the middle, a snapshot cut short or gone, and a later format are found", async () => {
  await using directory = await temporaryDirectory();
  const options = { directory: directory.path };
  const [journal, snapshot] = [join(directory.path, "journal"), join(directory.path, "snapshot")];
  const corrupt = (words: RegExp): Promise<void> =>
    assert.rejects(createMemoryRegistry(options), (error: Error & { code?: string }) => {
      assert.equal(error.code, "E_REGISTRY_CORRUPT");
      return words.test(error.message);
    });
  await within({ ...options, limits: { journalBytes: 1 } }, (registry) => registry.put("a", "1"));
  await within(options, async (registry) => {
    for (const key of ["b", "c", "d"]) await registry.put(key, "value");
  });
  const [journalWas, snapshotWas] = [await readFile(journal, "utf8"), await readFile(snapshot, "utf8")];
  const lines = journalWas.split("\n");
  await writeFile(journal, [lines[0], ...lines.slice(2)].join("\n"));
  await corrupt(/journal is damaged at byte \d+: change 4 follows change 2/);
  await writeFile(journal, journalWas);
  await writeFile(snapshot, `${snapshotWas.split("\n")[0]}\n`);
  await corrupt(/snapshot is damaged at byte \d+: 0 of its 1 entries/);
  await rename(snapshot, `${snapshot}.gone`);
  await corrupt(/journal is damaged at byte 0: the snapshot/);
  await writeFile(snapshot, encodeRecord({ format: 2 }));
  await corrupt(/it has format 2/);
  await writeFile(snapshot, snapshotWas);
  await within(options, async (registry) => assert.equal((await registry.list("")).entries.length, 4));
});

test("a process killed at any step of a snapshot leaves all that was written", async () => {
  await using directory = await temporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  const options = { directory: directory.path };
  await within(options, async (registry) => {
    await registry.put("a", "1");
    await registry.put("gone", "1");
    await registry.delete("gone");
  });
  const before = [await readFile(at("snapshot")), await readFile(at("journal"))] as const;
  const reached = await within({ ...options, limits: { journalBytes: 1 } }, async (registry) => {
    await registry.put("b", "2");
    return registry.list("");
  });
  const after = await readFile(at("snapshot"));
  assert.equal((await stat(at("journal"))).size, 0);
  const record = encodeRecord({
    sequence: 4,
    change: { kind: "write", puts: [{ key: "b", value: "2" }], deletes: [] },
  });
  const journal = Buffer.concat([before[1], Buffer.from(record)]);
  const steps = {
    "half of the new snapshot": { snapshot: before[0], journal, "snapshot.new": after.subarray(0, 40) },
    "all of it, not yet renamed": { snapshot: before[0], journal, "snapshot.new": after },
    "renamed, the journal not yet emptied": { snapshot: after, journal },
    done: { snapshot: after, journal: Buffer.alloc(0) },
  };
  for (const [step, files] of Object.entries(steps)) {
    for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
    await within(options, async (registry) => {
      assert.deepEqual(await registry.list(""), reached, step);
      assert.deepEqual(await registry.put("c", "3"), { ok: true, revision: 5 }, step);
    });
    await within({ ...options, limits: { journalBytes: 1 } }, async (registry) => {
      assert.ok(await registry.get("c"), step);
      await registry.put("d", "4");
    });
    await within(options, async (registry) => assert.ok(await registry.get("d"), step));
  }
});

test("two managers cannot open one directory, and closing gives it free", async () => {
  await using directory = await temporaryDirectory();
  const options = { directory: join(directory.path, "made", "on the way") };
  const first = await createMemoryRegistry(options);
  await assert.rejects(createMemoryRegistry(options), (error: Error & { code?: string }) => {
    assert.equal(error.code, "E_REGISTRY_LOCKED");
    return error.message.includes(`process ${process.pid}`) && error.message.includes(options.directory);
  });
  await first.put("a", "1");
  await first.close();
  await within(options, async (registry) => assert.ok(await registry.get("a")));
  assert.deepEqual((await readdir(options.directory)).sort(), ["journal", "snapshot"]);
});

test("the lock of a process that is no more is taken over, by one of many", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "lock");
  const child = await startProcess(process.execPath, ["-e", ""]);
  await child.exited;
  const stale = [
    { pid: child.pid, host: hostname(), startedAt: "1" },
    // A container's first process has the same pid every time.
    ...(process.platform === "linux" ? [{ pid: process.pid, host: hostname(), startedAt: "1" }] : []),
  ];
  for (const holder of Array.from({ length: 10 }, () => stale).flat()) {
    await writeFile(file, JSON.stringify(holder));
    const reports: RegistryReport[] = [];
    const options = { directory: directory.path, onReport: (report: RegistryReport) => reports.push(report) };
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => createMemoryRegistry(options)));
    const registries = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    assert.equal(registries.length, 1);
    assert.deepEqual(reports, [{ kind: "lock-taken-over", file, pid: holder.pid }]);
    await registries[0]?.close();
  }
  await writeFile(file, "");
  await within({ directory: directory.path }, (registry) => registry.get("a"));
  assert.deepEqual((await readdir(directory.path)).sort(), ["journal", "snapshot"]);
});

test("a full disk refuses the write, keeps what was acknowledged, and leaves no damage", async () => {
  await using directory = await temporaryDirectory();
  const module = JSON.stringify(new URL("../memory.js", import.meta.url).href);
  const script = `
    process.on("SIGXFSZ", () => {});
    const { createMemoryRegistry } = await import(${module});
    const registry = await createMemoryRegistry({ directory: ${JSON.stringify(directory.path)} });
    let kept = 0;
    try { for (;; kept += 1) await registry.put("k" + kept, "x".repeat(500)); }
    catch (error) { console.log(error.code, kept, await registry.get("k" + kept)); }
    await registry.delete("k0");
    console.log("deleted");
    await registry.close();`;
  // Files of at most 8 KiB.
  const limited = ["-c", 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script];
  await using child = await startProcess("bash", limited);
  const line = await child.waitForLine("E_REGISTRY_STORAGE");
  await child.waitForLine("deleted");
  await child.exited;
  const kept = Number(line.split(" ")[1]);
  assert.match(line, /undefined$/);
  await within({ directory: directory.path }, async (registry) => {
    assert.equal((await registry.list("")).entries.length, kept - 1);
  });
});

test("kill -9 amid writes and snapshots loses no acknowledged write", async () => {
  await using directory = await temporaryDirectory();
  const module = JSON.stringify(new URL("../memory.js", import.meta.url).href);
  const script = `
    const { createMemoryRegistry } = await import(${module});
    const registry = await createMemoryRegistry({
      directory: ${JSON.stringify(directory.path)}, limits: { journalBytes: 2000 } });
    const writer = async (name) => {
      for (let n = 1 + Number((await registry.get(name))?.value ?? 0); ; n += 1) {
        const { revision } = await registry.put(name, String(n));
        process.stdout.write(name + " " + n + " " + revision + "\\n");
      }
    };
    await Promise.all([writer("a"), writer("b"), writer("c")]);`;
  const acknowledged = new Map([
    ["a", 0],
    ["b", 0],
    ["c", 0],
  ]);
  let revision = 0;
  for (const lines of [1, 40, 150, 333]) {
    await using child = await startProcess(process.execPath, ["--input-type=module", "-e", script]);
    await child.waitForLine(`a ${(acknowledged.get("a") ?? 0) + lines} `);
    child.signal("SIGKILL");
    await child.exited;
    for (const line of child.stdout.split("\n").slice(0, -1)) {
      const [name = "", value, at] = line.split(" ");
      acknowledged.set(name, Number(value));
      revision = Math.max(revision, Number(at));
    }
    await within({ directory: directory.path }, async (registry) => {
      for (const [name, value] of acknowledged) {
        const kept = Number((await registry.get(name))?.value ?? 0);
        assert.ok(kept === value || kept === value + 1, `${name}: acknowledged ${value}, kept ${kept}`);
        acknowledged.set(name, kept);
      }
      assert.ok((await registry.list("")).revision >= revision);
    });
  }
});

test("arbitrary bytes as a journal are read or refused, never taken for records", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const { records, wholeBytes } = parseRecordFile(Buffer.from(bytes), "journal");
        assert.deepEqual([records.length, wholeBytes], [0, 0]);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "E_REGISTRY_CORRUPT");
      }
    }),
  );
});
