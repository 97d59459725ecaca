import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { type RawPeer, rawClient, rawExchange, startRawServer, until } from "@clew/testing";
import { createInstallation } from "./installation.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;

/** Gives no answer, half of one, or more than anybody's buffers take. */
async function misbehave(peer: RawPeer): Promise<void> {
  const head = (await peer.waitFor("\r\n\r\n")).toString();
  if (head.startsWith("GET /half ")) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  if (head.startsWith("GET /flood ")) {
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    peer.write(Buffer.alloc(40 * 1024 * 1024));
  }
}

test("limits of time in clew.yaml hold in a service's agent and in the gateway", async () => {
  await using service = await startRawServer(misbehave);
  await using installation = await createInstallation();
  const [manager, gateway, bounded, free] = [
    await installation.nextPort(),
    await installation.nextPort(),
    await installation.nextPort(),
    await installation.nextPort(),
  ];
  const upstream = `upstream: "127.0.0.1:${service.port}"`;
  await using other = await startRawServer(misbehave);
  await writeFile(
    installation.configFile,
    `manager: { listen: "127.0.0.1:${manager}" }
gateway: { listen: "127.0.0.1:${gateway}", ingress: free, limits: { clientStallTimeoutMs: 40 } }
services:
  bounded:
    limits: { answerTimeoutMs: 40, answerIdleTimeoutMs: 40, clientStallTimeoutMs: 40 }
    ports: { http: { listen: "127.0.0.1:${bounded}", ${upstream} } }
  free:
    ports: { http: { listen: "127.0.0.1:${free}", upstream: "127.0.0.1:${other.port}" } }
`,
  );
  const up = await installation.clew("up");
  await up.waitForLine("Clew is up", 60_000);

  assert.match((await rawExchange(bounded, get("/never"))).toString(), / 504 .*E_ANSWER_TIMEOUT/s);
  assert.match((await rawExchange(bounded, get("/half"))).toString(), / 200 .*\r\n\r\nhalf$/s);
  for (const [port, behind] of [
    [bounded, service],
    [gateway, other],
  ] as const) {
    const before = behind.peers.length;
    await using stalling = await rawClient(port);
    stalling.socket.removeAllListeners("data").pause();
    stalling.write(get("/flood"));
    await (await until(() => behind.peers[before])).closed;
  }
});
