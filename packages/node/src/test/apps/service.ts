// An ESM application that knows nothing of propagation: it reads the ambient context, and calls with what Node offers.
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { context } from "@clew/context";
import type { Call, Hop, Plan } from "./plan.ts";

const server = createServer((req, res) => {
  answer(req).then(
    (hop) => res.end(JSON.stringify(hop)),
    (error) => res.writeHead(500).end(String(error)),
  );
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`));
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});

async function answer(req: IncomingMessage): Promise<Hop> {
  const plan: Plan = JSON.parse((await text(req)) || "{}");
  const hops: Hop[] = [];
  for (const call of plan.calls ?? []) {
    hops.push(JSON.parse(await context.with(call.fields ?? {}, () => send(call))));
  }
  const current = context.current();
  return {
    service: process.env["CLEW_SERVICE"] ?? "",
    caller: current?.caller,
    traceparent: current?.traceparent,
    fields: Object.fromEntries(current?.entries() ?? []),
    baggage: req.headersDistinct["baggage"] ?? [],
    hops,
  };
}

async function send({ via, url, plan }: Call): Promise<string> {
  const body = JSON.stringify(plan ?? {});
  if (via === "fetch") return (await fetch(url, { method: "POST", body })).text();
  return new Promise((resolve, reject) => {
    request(url, { method: "POST" }, (res) => text(res).then(resolve, reject))
      .on("error", reject)
      .end(body);
  });
}
