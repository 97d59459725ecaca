import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * A loopback port that nobody listened on a moment ago. Another process may take it before the caller does:
 * prefer listening on port 0, and use this for addresses that must be refused or written into a configuration.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
