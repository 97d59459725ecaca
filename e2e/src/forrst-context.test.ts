import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess, startUpstream } from "@clew/testing";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A Forrst service whose function asks another service, that knows nothing of Forrst, in two ways. */
const program = `
import { get } from "node:http";
import { createServer, listen } from "@clew/rpc";
const anything = { type: "object" };
const server = createServer({ service: "orders" }).function("orders.price", {
  version: "1.0.0",
  arguments: anything,
  result: {},
  async handler() {
    const byFetch = await (await fetch(process.env.TARGET)).json();
    const byHttp = await new Promise((resolve, reject) => {
      get(process.env.TARGET, async (response) => resolve(JSON.parse((await response.toArray()).join("")))).on("error", reject);
    });
    return [byFetch, byHttp];
  },
});
console.log((await listen(server)).url);
`;

test("what a Forrst handler asks by fetch or node:http carries its call's context, without a line of code", async () => {
  await using pricing = await startUpstream({
    handle: (request, response) => response.end(JSON.stringify(request.headers)),
  });
  const args = ["--import", "@clew/node", "--input-type=module", "--eval", program];
  const env = { TARGET: pricing.url, CLEW_SERVICE: "orders" };
  await using orders = await startProcess(process.execPath, args, { cwd: root, env });
  const url = await orders.waitForLine(/^http:/);
  const call = async (tenant: string): Promise<IncomingHttpHeaders[]> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        protocol: { name: "forrst", version: "0.1.0" },
        id: tenant,
        call: { function: "orders.price" },
        context: { caller: "shop", tenant_id: tenant },
      }),
    });
    return ((await response.json()) as { result: IncomingHttpHeaders[] }).result;
  };
  const answers = await Promise.all([call("acme"), call("globex")]);
  assert.deepEqual(
    answers.map((hops) => hops.map((headers) => [headers["baggage"], headers["x-forrst-caller"]])),
    ["acme", "globex"].map((tenant) => Array(2).fill([`tenant_id=${tenant}`, "orders"])),
  );
});
