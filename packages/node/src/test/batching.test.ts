// A batching loader (the way of DataLoader) collects what many requests ask for, and asks once, in the scope of the
// first of them. docs/reference/propagation.md says what to do about it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { type Context, context, emptyContext, joinContexts } from "@clew/context";
import { startUpstream, type Upstream } from "@clew/testing";
import { register } from "../api.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

interface Wanted<Key, Value> {
  readonly key: Key;
  readonly settle: (value: Promise<Value>) => void;
}

/** Collects keys until the next tick, and hands them over together. */
class Loader<Key, Value> {
  readonly #loadAll: (keys: readonly Key[]) => readonly Promise<Value>[];
  #wanted: Wanted<Key, Value>[] = [];

  constructor(loadAll: (keys: readonly Key[]) => readonly Promise<Value>[]) {
    this.#loadAll = loadAll;
  }

  load(key: Key): Promise<Value> {
    if (this.#wanted.length === 0)
      void Promise.resolve().then(() => process.nextTick(() => this.#dispatch()));
    return new Promise((resolve) => this.#wanted.push({ key, settle: resolve }));
  }

  #dispatch(): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    const values = this.#loadAll(wanted.map(({ key }) => key));
    for (const [index, { settle }] of wanted.entries()) settle(values[index] as Promise<Value>);
  }
}

const tenants: readonly string[] = Array.from({ length: 20 }, (_, id) => `t${id}`);

/** Answers with the fields that reached it. */
const startBackend = (): Promise<Upstream> =>
  startUpstream({ handle: (req, res) => res.end(req.headersDistinct["baggage"]?.join(" and ") ?? "none") });

async function ask(url: string): Promise<string> {
  const [response] = (await once(request(url).end(), "response")) as [IncomingMessage];
  return text(response);
}

/** What each tenant's request is answered, all of them being served at once. */
const serveAll = (load: (tenant: string) => Promise<string>): Promise<string[]> =>
  Promise.all(tenants.map((tenant_id) => context.with({ tenant_id }, () => load(tenant_id))));

test("the loss: a loader that serves many requests asks for all of them as the first one's tenant", async () => {
  await using backend = await startBackend();
  const loader = new Loader<string, string>((keys) => {
    const answer = ask(backend.url);
    return keys.map(() => answer);
  });
  assert.deepEqual(
    await serveAll((tenant) => loader.load(tenant)),
    tenants.map(() => "tenant_id=t0"),
  );
});

test("the cure where each key is asked for by itself: context.bind where the key is wanted", async () => {
  await using backend = await startBackend();
  const loader = new Loader<() => Promise<string>, string>((calls) => calls.map((call) => call()));
  assert.deepEqual(
    await serveAll(() => loader.load(context.bind(() => ask(backend.url)))),
    tenants.map((tenant) => `tenant_id=${tenant}`),
  );
});

test("the cure where one call asks for all: joinContexts, which drops and marks what differs", async () => {
  await using backend = await startBackend();
  interface Key {
    readonly id: string;
    readonly wantedIn: Context;
  }
  const loader = new Loader<Key, string>((keys) => {
    const joined = joinContexts(keys.map(({ wantedIn }) => wantedIn));
    const answer = context.run(joined, () => ask(backend.url));
    return keys.map(() => answer);
  });
  const load = (id: string): Promise<string> =>
    loader.load({ id, wantedIn: context.current() ?? emptyContext });
  const answers = await context.with({ environment: "test" }, () => serveAll(load));
  const [answer = "", ...others] = new Set(answers);
  assert.deepEqual(others, []);
  assert.match(answer, /environment=test/);
  assert.match(answer, /clew-conflicts=[^,]*tenant_id/);
  assert.doesNotMatch(answer, /tenant_id=/);
});

test("the cure where loaders are cheap: one for each request, which then has its own tenant only", async () => {
  await using backend = await startBackend();
  const createLoader = (): Loader<string, string> =>
    new Loader((keys) => {
      const answer = ask(backend.url);
      return keys.map(() => answer);
    });
  const loadTwo = async (): Promise<string> => {
    const loader = createLoader();
    const [first, second] = await Promise.all([loader.load("1"), loader.load("2")]);
    assert.equal(first, second);
    return first;
  };
  assert.deepEqual(
    await serveAll(loadTwo),
    tenants.map((tenant) => `tenant_id=${tenant}`),
  );
});
