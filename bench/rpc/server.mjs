// @ts-check
// One server of peers.mjs in a process of its own; tells its port.
import { peers } from "./peers.mjs";

const { start } = (await peers[String(process.argv[2])]?.load()) ?? {};
if (start === undefined) throw new Error(`no server is called ${process.argv[2]}`);
const started = await start();
if ("port" in started) {
  // It listens by itself.
  process.send?.({ port: started.port });
} else {
  started.keepAliveTimeout = 0;
  started.listen(0, "127.0.0.1", () => {
    const { port } = /** @type {import("node:net").AddressInfo} */ (started.address());
    process.send?.({ port });
  });
}
process.once("disconnect", () => process.exit(0));
