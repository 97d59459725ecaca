// @ts-check
// The data plane alone: no table, no manager, the same look at each request's baggage as its peers take.
import { startProxy, tcpUpstream } from "@clew/proxy";
import { divertedRoute } from "../request.mjs";

const [port = 0, backEnd = 0] = process.argv.slice(2).map(Number);
const marker = `clew-route=${divertedRoute}`;
const live = { upstream: tcpUpstream("127.0.0.1", backEnd) };
const other = { upstream: { ...tcpUpstream("127.0.0.1", backEnd), key: "other" } };

await startProxy({
  listen: { host: "127.0.0.1", port },
  route: (head) => (head.header("baggage")?.includes(marker) ? other : live),
});
