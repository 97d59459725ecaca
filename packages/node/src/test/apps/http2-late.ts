// An application that uses node:http2 before it registers propagation, and goes on with what it has.
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { context } from "@clew/context";

const server = createServer((req, res) =>
  res.end(`${context.get("tenant_id")} from ${req.headers["x-forrst-caller"]}`),
).listen(0, "127.0.0.1");
await once(server, "listening");
const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
const call = (): Promise<string> => context.with({ tenant_id: "a" }, () => text(session.request()));
const answers = [await call()];
const { register } = await import("../../api.ts");
const registration = register({ service: "late", warnMissing: false });
answers.push(await call());
registration.disable();
answers.push(await call());
process.stdout.write(`${answers.join(", ")}\n`);
session.close();
server.close();
