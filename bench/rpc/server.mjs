// @ts-check
// One server of peers.mjs in a process of its own; tells its port.
import { peers } from "./peers.mjs";

const { start } = (await peers[String(process.argv[2])]?.load()) ?? {};
if (start === undefined) throw new Error(`no server is called ${process.argv[2]}`);
const server = /** @type {import("node:http").Server} */ (await start());
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  process.send?.({ port });
});
process.once("disconnect", () => process.exit(0));
