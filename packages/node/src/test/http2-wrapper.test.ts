// got speaks HTTP/2 by http2-wrapper, which has its requests wait for a session.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { createSecureServer } from "node:http2";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { register } from "../api.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

// The copy that got brings along.
const { Agent, request } = createRequire(import.meta.resolve("got"))("http2-wrapper");

const tenants: readonly string[] = Array.from({ length: 50 }, (_, id) => `t${id}`);
// A key known to both in place of a certificate: nothing to make, nothing that runs out.
const psk = { psk: Buffer.alloc(32, 7), identity: "test" };
const tls = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;

test("requests that wait for the one stream there may be: each carries its own context and is called back in it", async () => {
  const server = createSecureServer(
    { ...tls, pskCallback: () => psk.psk, settings: { maxConcurrentStreams: 1 } },
    (req, res) => res.end(String(req.headers["baggage"])),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const agent = new Agent({ maxSessions: 1 });
  const options = { ...tls, agent, pskCallback: () => psk, checkServerIdentity: () => undefined };
  const call = (tenant_id: string): Promise<string[]> =>
    context.with(
      { tenant_id },
      () =>
        new Promise((resolve, reject) => {
          const sent: ClientRequest = request(url, options);
          sent.on("response", (response: IncomingMessage) => {
            const ambient = String(context.get("tenant_id"));
            text(response).then((body) => resolve([body, ambient]), reject);
          });
          sent.on("error", reject).end();
        }),
    );
  const answers = await Promise.all(tenants.map(call));
  agent.destroy();
  server.close();
  await once(server, "close");
  assert.deepEqual(
    answers,
    tenants.map((tenant) => [`tenant_id=${tenant}`, tenant]),
  );
});
