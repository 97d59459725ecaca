import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import { registryContract, startEtcd, type TestEtcd } from "@clew/testing";
import { createEtcdRegistry } from "./etcd.ts";

let server: TestEtcd;
before(async () => {
  server = await startEtcd();
});
after(() => server[Symbol.asyncDispose]());

registryContract("on etcd", async () => {
  const registry = await createEtcdRegistry({ endpoints: [server.url], prefix: `/clew/${randomUUID()}` });
  return {
    registry,
    shortLeaseMs: 1_000,
    async compact() {
      const { revision } = await registry.list("");
      const body = JSON.stringify({ revision, physical: true });
      await (await fetch(`${server.url}/v3/kv/compaction`, { method: "POST", body })).text();
    },
    [Symbol.asyncDispose]: () => registry.close(),
  };
});
