import assert from "node:assert/strict";
import { createServer } from "node:http2";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { H2CClient } from "undici";
import { register } from "../api.ts";
import { answerTo, type Http2Pair, http2Pair } from "./http2-pair.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

const requestCount = 200;

/** Answers with the tenant that reached it, a little later for some, so that the answers overtake each other. */
const startBackend = (): Promise<Http2Pair> =>
  http2Pair(
    createServer((req, res) => {
      const tenant = `${req.headers["baggage"]} from ${req.headers["x-forrst-caller"]}`;
      setTimeout(() => res.end(tenant), tenant.length % 3);
    }),
  );

async function assertNoneCrosses(call: () => Promise<string>): Promise<void> {
  const service = createServer(async (_req, res) => {
    const before = context.get("tenant_id");
    const reached = await call();
    res.end(`${before}, ${reached}, ${context.get("tenant_id")}`);
  });
  await using pair = await http2Pair(service);
  const answers = Array.from({ length: requestCount }, (_, id) => pair.send({ baggage: `tenant_id=t${id}` }));
  for (const [id, answer] of (await Promise.all(answers)).entries()) {
    assert.equal(answer, `t${id}, tenant_id=t${id} from test, t${id}`);
  }
}

test(`${requestCount} streams of one session, each with a call on another session: none sees or sends another's tenant`, async () => {
  await using backend = await startBackend();
  await assertNoneCrosses(() => answerTo(backend.session.request()));
});

test(`${requestCount} requests by undici over HTTP/2, two at a time: none carries another's tenant, and none two contexts`, async () => {
  await using backend = await startBackend();
  const client = new H2CClient(backend.url, { maxConcurrentStreams: 2, pipelining: 2 });
  await assertNoneCrosses(async () => {
    const { body } = await client.request({ path: "/", method: "GET" });
    return body.text();
  });
  await client.close();
});
