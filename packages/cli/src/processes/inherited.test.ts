import assert from "node:assert/strict";
import { test } from "node:test";
import { shareSystemdListeners, systemdListeners } from "./inherited.ts";

const addresses = [
  { name: "orders.http", address: "127.0.0.1:1" },
  { name: "pricing.http", address: "127.0.0.1:2" },
];
const all = async (env: Record<string, string | undefined>): Promise<unknown[] | undefined> => {
  const inherited = systemdListeners(env, 42, addresses);
  return inherited && Promise.all(addresses.map(({ address }) => inherited(address)));
};

test("descriptors go to the addresses in their order, or by name where one is known", async () => {
  assert.deepEqual(await all({ LISTEN_FDS: "2", LISTEN_PID: "42" }), [{ fd: 3 }, { fd: 4 }]);
  assert.deepEqual(await all({ LISTEN_FDS: "1" }), [{ fd: 3 }, undefined]);
  assert.deepEqual(await all({ LISTEN_FDS: "2", LISTEN_FDNAMES: "pricing.http:other" }), [
    undefined,
    { fd: 3 },
  ]);
  assert.deepEqual(await all({ LISTEN_FDS: "2", LISTEN_FDNAMES: "unknown:unknown" }), [{ fd: 3 }, { fd: 4 }]);
});

test("those of another process, or none, are nobody's; children do not see them", async () => {
  assert.equal(await all({}), undefined);
  assert.equal(await all({ LISTEN_FDS: "2", LISTEN_PID: "43" }), undefined);
  assert.equal(await all({ LISTEN_FDS: "many" }), undefined);
  const env = { LISTEN_FDS: "2", LISTEN_PID: "42", LISTEN_FDNAMES: "a:b", PATH: "/bin" };
  systemdListeners(env, 42, addresses);
  assert.deepEqual(env, { PATH: "/bin" });
});

test("a process that shares its descriptors leaves them to its children, whatever their process ids", async () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: "42" };
  assert.ok(shareSystemdListeners(env, 42));
  assert.deepEqual(await all(env), [{ fd: 3 }, { fd: 4 }]);
  assert.ok(!shareSystemdListeners({ LISTEN_FDS: "2", LISTEN_PID: "43" }, 42));
  assert.ok(!shareSystemdListeners({}, 42));
});
