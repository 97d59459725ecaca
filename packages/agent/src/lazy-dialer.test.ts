import assert from "node:assert/strict";
import { test } from "node:test";
import { createLazyDialer } from "./lazy-dialer.ts";

const target = { relay: "127.0.0.1:1", session: "s1", port: 1 };

test("a dialer that was closed connects nowhere, whether its code was loaded before, meanwhile or never", async () => {
  const never = createLazyDialer({ agent: "orders" });
  never.close();
  const meanwhile = createLazyDialer({ agent: "orders" });
  const connecting = meanwhile.connect(target, AbortSignal.timeout(4_000));
  meanwhile.close();
  await assert.rejects(connecting, { code: "E_TUNNEL_CLOSED" });
  for (const dialer of [never, meanwhile]) {
    await assert.rejects(dialer.connect(target, AbortSignal.timeout(4_000)), { code: "E_TUNNEL_CLOSED" });
  }
});
