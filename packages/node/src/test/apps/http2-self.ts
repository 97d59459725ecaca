// An ESM application that takes its functions of node:http2 by name, and calls itself for two tenants on one session.
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { context } from "@clew/context";

const server = createServer((req, res) =>
  res.end(`${context.get("tenant_id")} from ${req.headers["x-forrst-caller"]}`),
);
server.listen(0, "127.0.0.1", async () => {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const answers = ["a", "b"].map((tenant_id) => context.with({ tenant_id }, () => text(session.request())));
  process.stdout.write(`${(await Promise.all(answers)).join(", ")}\n`);
  session.close();
  server.close();
});
