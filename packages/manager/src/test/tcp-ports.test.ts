import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleRequest, SessionGrant } from "@clew/control";
import type { Condition } from "@clew/routing";
import { codeOf, type Fixture, startFixture } from "./manager-fixture.ts";

const target = { kind: "tunnel", port: 5432 } as const;
const db = (...conditions: Condition[]): RuleRequest => ({ service: "db", target, conditions });
const client = (prefix: string): Condition => ({ on: "client", prefix });

async function startDb(): Promise<{ fixture: Fixture; ann: SessionGrant; bob: SessionGrant }> {
  const fixture = await startFixture();
  await fixture.watch("db", ["db"], "tcp");
  const open = (owner: string): Promise<SessionGrant> => fixture.client.sessions.open({ owner, host: owner });
  return { fixture, ann: await open("ann"), bob: await open("bob") };
}

test("a port of raw TCP has no routes: an override is refused, and the error says what to do instead", async () => {
  const { fixture, ann } = await startDb();
  await using _ = fixture;
  await assert.rejects(
    fixture.client.overrides.put({ ...ann, override: { route: "ann", service: "db", target } }),
    { code: "E_PORT_TCP", hint: /client's address/ },
  );
});

test("its rules are on the client's address, or take every connection; anything else is refused", async () => {
  const { fixture, ann } = await startDb();
  await using _ = fixture;
  const put = (rule: RuleRequest): Promise<unknown> => fixture.client.rules.put({ ...ann, rule });
  await put(db());
  await put(db(client("10.0.0.0/8")));
  assert.equal(await codeOf(put(db({ on: "path", prefix: "/" }))), "E_RULE_INVALID");
  assert.equal(await codeOf(put(db(client("10.0.0.0/64")))), "E_RULE_INVALID");
  await fixture.watch("web");
  assert.equal(await codeOf(put({ ...db(), service: "web" })), "E_RULE_INVALID");
});

test("two that could take one client's connection conflict, unless one is narrower", async () => {
  const { fixture, ann, bob } = await startDb();
  await using _ = fixture;
  const { rules } = fixture.client;
  await rules.put({ ...ann, rule: db(client("10.0.0.0/8")) });
  await assert.rejects(rules.put({ ...bob, rule: db(client("10.9.9.9/8")) }), {
    code: "E_RULE_CONFLICT",
    message: /connections.*ann/,
    hint: /--client/,
  });
  await rules.put({ ...bob, rule: db(client("10.1.0.0/16")) });
  await rules.put({ ...bob, rule: db(client("192.168.0.0/16")) });
  await rules.put({ ...bob, rule: db() });
  assert.equal(await codeOf(rules.put({ ...ann, rule: db() })), "E_RULE_CONFLICT");
});
