// Agents of every make for node:http. What an agent does with a request does not decide whose context it carries.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { Agent, ClientRequest, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { startUpstream, type Upstream } from "@clew/testing";
import { register } from "../api.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

/** Hands a request its socket later, without asking Node's agent. */
class LateAgent extends Agent {
  addRequest(created: ClientRequest): void {
    setImmediate(() => created.onSocket(connectTo(created)));
  }
}

/** None of Node's agents, as older proxy agents are. */
class ForeignAgent extends EventEmitter {
  addRequest(created: ClientRequest): void {
    setImmediate(() => created.onSocket(connectTo(created)));
  }
}

class SocketAgent extends Agent {
  override createConnection(options: { port: number }): Socket {
    return connect(options.port, "127.0.0.1");
  }
}

class CountingRequest extends ClientRequest {}

const connectTo = (created: ClientRequest): Socket =>
  connect(Number(created.getHeader("x-port")), "127.0.0.1");

const agents: Readonly<Record<string, () => object>> = {
  "no agent": () => ({ agent: false }),
  "a function for connections": () => ({
    createConnection: ({ port }: { port: number }) => connect(port, "127.0.0.1"),
  }),
  "an agent with a way to connect of its own": () => ({ agent: new SocketAgent({ keepAlive: true }) }),
  "an agent with a queue of its own": () => ({ agent: new LateAgent() }),
  "an agent that is none of Node's": () => ({ agent: new ForeignAgent() }),
};

async function startEcho(): Promise<Upstream> {
  return startUpstream({ handle: (req, res) => res.end(req.headersDistinct["baggage"]?.join(" and ")) });
}

for (const [name, options] of Object.entries(agents)) {
  test(`${name}: requests carry the context they were made in`, async () => {
    await using upstream = await startEcho();
    const { agent, ...rest } = options() as { agent?: Agent };
    const headers = { "x-port": upstream.port };
    const send = async (tenant_id: string): Promise<string> => {
      const created = context.with({ tenant_id }, () =>
        request({
          port: upstream.port,
          host: "127.0.0.1",
          headers,
          ...(agent === undefined ? rest : { agent }),
        }),
      );
      const answered = once(created, "response") as Promise<[IncomingMessage]>;
      context.with({ tenant_id }, () => created.end());
      return text((await answered)[0]);
    };
    const tenants = ["a", "b", "c"];
    assert.deepEqual(
      await Promise.all(tenants.map(send)),
      tenants.map((tenant) => `tenant_id=${tenant}`),
    );
    if (agent instanceof Agent) agent.destroy();
  });
}

const [major = 0] = process.versions.node.split(".").map(Number);

test("a request that another scope writes carries the context it was made in, also with an agent that is none of Node's", {
  skip: major < 22 ? "Node 20 tells nobody that it was made" : false,
}, async () => {
  await using upstream = await startEcho();
  const headers = { "x-port": upstream.port };
  const options = {
    host: "127.0.0.1",
    port: upstream.port,
    headers,
    agent: new ForeignAgent() as unknown as Agent,
  };
  const created = context.with({ tenant_id: "own" }, () => request(options));
  const answered = once(created, "response");
  context.with({ tenant_id: "other" }, () => created.end());
  assert.equal(await text((await answered)[0]), "tenant_id=own");
});

test("a class of requests that inherits from Node's carries them too", async () => {
  await using upstream = await startEcho();
  const created = context.with({ tenant_id: "own" }, () => new CountingRequest(upstream.url));
  const answered = once(created, "response");
  created.end();
  assert.equal(await text((await answered)[0]), "tenant_id=own");
});
