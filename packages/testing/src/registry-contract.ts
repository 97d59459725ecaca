import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { registryLeaseCases } from "./registry-contract-leases.ts";
import type { RegistryLike, RegistryUnderTest } from "./registry-contract-types.ts";
import { registryWatchCases } from "./registry-contract-watch.ts";

/** A watch that never tells what is awaited would hold up the run for ever. */
const caseTimeoutMs = 30_000;

/** What holds for every registry: call it once per implementation. `create` gives an empty one each time. */
export function registryContract(name: string, create: () => Promise<RegistryUnderTest>): void {
  /** Each case has a registry of its own. */
  const check = (title: string, run: (subject: RegistryUnderTest) => Promise<void>): void => {
    test(title, { timeout: caseTimeoutMs }, async () => {
      await using subject = await create();
      await run(subject);
    });
  };
  describe(`registry ${name}`, () => {
    writeCases(check);
    listCases(check);
    raceCases(check);
    registryWatchCases(check);
    // They mostly wait.
    describe("leases", { concurrency: true }, () => registryLeaseCases(check));
  });
}

type Check = (title: string, run: (subject: RegistryUnderTest) => Promise<void>) => void;

/** All planes of Unicode, characters that mean something to shells, JSON and paths, and none at all. */
const values = ["", "null", 'ä€😀\uffff\u0000\n\r\t"\\', "‮\u2028\ufeff", '{"a":[1,2]}', "x".repeat(65_536)];

function writeCases(check: Check): void {
  check("a key that was never written is not there", async ({ registry }) => {
    assert.equal(await registry.get("none"), undefined);
    const { ok } = await registry.delete("none");
    assert.equal(ok, true);
  });

  check("a value comes back as it was, whatever its characters", async ({ registry }) => {
    for (const [index, value] of values.entries()) {
      const revision = await written(registry.put(`clé/${index}/😀`, value));
      assert.deepEqual(await registry.get(`clé/${index}/😀`), { key: `clé/${index}/😀`, value, revision });
    }
  });

  check("a conditional write at a stale revision writes nothing", async ({ registry }) => {
    const first = await written(registry.put("a", "1", { ifRevision: 0 }));
    assert.deepEqual(await registry.put("a", "again", { ifRevision: 0 }), { ok: false });
    const second = await written(registry.put("a", "2", { ifRevision: first }));
    assert.ok(second > first);
    assert.deepEqual(await registry.put("a", "late", { ifRevision: first }), { ok: false });
    assert.deepEqual(await registry.delete("a", { ifRevision: first }), { ok: false });
    assert.equal((await registry.get("a"))?.value, "2");
    await written(registry.delete("a", { ifRevision: second }));
    assert.equal(await registry.get("a"), undefined);
    assert.deepEqual(await registry.put("a", "3", { ifRevision: second }), { ok: false });
  });

  check("a transaction writes all at one revision, or nothing", async ({ registry }) => {
    const revision = await written(registry.put("kept", "1"));
    const refused = await registry.transaction({
      compare: [
        { key: "kept", revision },
        { key: "new", revision: 7_777_777 },
      ],
      puts: [{ key: "new", value: "1" }],
      deletes: ["kept"],
    });
    assert.deepEqual(refused, { ok: false });
    assert.deepEqual(await keysOf(registry), ["kept"]);
    const all = await written(
      registry.transaction({
        compare: [
          { key: "kept", revision },
          { key: "new", revision: 0 },
        ],
        puts: [
          { key: "new", value: "1" },
          { key: "newer", value: "2" },
        ],
        deletes: ["kept", "none"],
      }),
    );
    const { entries } = await registry.list("");
    assert.deepEqual(
      entries.map((entry) => [entry.key, entry.revision]),
      [
        ["new", all],
        ["newer", all],
      ],
    );
  });

  check("a transaction without writes says whether it holds", async ({ registry }) => {
    const revision = await written(registry.put("a", "1"));
    assert.equal((await registry.transaction({ compare: [{ key: "a", revision }] })).ok, true);
    assert.equal((await registry.transaction({ compare: [{ key: "a", revision: 0 }] })).ok, false);
    assert.equal((await registry.list("")).revision, revision);
  });

  check("what one store would take and another not is refused by all", async ({ registry }) => {
    const refused = (code: string, call: Promise<unknown>): Promise<void> => assert.rejects(call, { code });
    const many = Array.from({ length: 65 }, (_, index) => `k${index}`);
    await refused("E_REGISTRY_LIMIT", registry.transaction({ deletes: many }));
    await refused("E_REGISTRY_LIMIT", registry.put("a", "x".repeat(65_537)));
    await refused("E_REGISTRY_ARGUMENT", registry.put("", "1"));
    await refused("E_REGISTRY_ARGUMENT", registry.put("a", "\ud800"));
    await refused("E_REGISTRY_ARGUMENT", registry.put("k".repeat(1025), "1"));
    await refused("E_REGISTRY_ARGUMENT", registry.put("a", "1", { ifRevision: -1 }));
    await refused("E_REGISTRY_ARGUMENT", registry.lease(0));
    const twice = { puts: [{ key: "a", value: "1" }], deletes: ["a"] };
    await refused("E_REGISTRY_ARGUMENT", registry.transaction(twice));
    assert.deepEqual(await keysOf(registry), []);
  });

  check("a closed registry refuses calls", async ({ registry }) => {
    await registry.close();
    await assert.rejects(registry.put("a", "1"), { code: "E_REGISTRY_CLOSED" });
    await assert.rejects(registry.get("a"), { code: "E_REGISTRY_CLOSED" });
    await registry.close();
  });
}

function listCases(check: Check): void {
  check("a listing is in the order of UTF-8 bytes and keeps to its prefix", async ({ registry }) => {
    const inOrder = ["p/", "p/A", "p/a", "p/a/b", "p/a0", "p/z", "p/é", "p/\ue000", "p/\uffff", "p/😀"];
    for (const key of [...inOrder].reverse()) await registry.put(key, key);
    for (const key of ["o", "p", "p.", "p0", "q/"]) await registry.put(key, "beside");
    const { entries, revision } = await registry.list("p/");
    assert.deepEqual(
      entries.map((entry) => entry.value),
      inOrder,
    );
    assert.equal(revision, await written(registry.delete("none")));
    assert.deepEqual(await registry.list("p/none"), { entries: [], revision });
  });

  check("thousands of keys are listed whole", async ({ registry }) => {
    const keys = Array.from({ length: 2_400 }, (_, index) => `many/${String(index).padStart(5, "0")}`);
    for (let index = 0; index < keys.length; index += 60) {
      const puts = keys.slice(index, index + 60).map((key) => ({ key, value: `value of ${key}` }));
      await written(registry.transaction({ puts }));
    }
    assert.deepEqual(await keysOf(registry, "many/"), keys);
    assert.equal((await registry.list("many/01")).entries.length, 1_000);
  });
}

function raceCases(check: Check): void {
  check("of many that create one key at once, one wins", async ({ registry }) => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, writer) => registry.put("one", `${writer}`, { ifRevision: 0 })),
    );
    const winner = results.findIndex((result) => result.ok);
    assert.equal(results.filter((result) => result.ok).length, 1);
    assert.equal((await registry.get("one"))?.value, `${winner}`);
  });

  check("no increment of many writers is lost, and each revision has one writer", async ({ registry }) => {
    await registry.put("count", "0");
    const increment = async (): Promise<number> => {
      for (;;) {
        const { value, revision: ifRevision } = (await registry.get("count")) ?? assert.fail("not there");
        const result = await registry.put("count", `${Number(value) + 1}`, { ifRevision });
        if (result.ok) return result.revision;
      }
    };
    const writer = async (): Promise<number[]> => [await increment(), await increment(), await increment()];
    const revisions = (await Promise.all(Array.from({ length: 12 }, writer))).flat();
    assert.equal((await registry.get("count"))?.value, "36");
    assert.equal(new Set(revisions).size, 36);
  });
}

async function written(result: ReturnType<RegistryLike["put"]>): Promise<number> {
  const outcome = await result;
  assert.ok(outcome.ok);
  return outcome.revision;
}

async function keysOf(registry: RegistryLike, prefix = ""): Promise<string[]> {
  return (await registry.list(prefix)).entries.map((entry) => entry.key);
}
