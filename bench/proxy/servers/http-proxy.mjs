// @ts-check
import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";
import { divertedRoute } from "../request.mjs";

const [port, backEnd] = process.argv.slice(2).map(Number);
const marker = `clew-route=${divertedRoute}`;
const options = { keepAlive: true, maxSockets: 1_024, maxFreeSockets: 1_024 };
const target = `http://127.0.0.1:${backEnd}`;
const live = { target, agent: new Agent(options) };
const other = { target, agent: new Agent(options) };

const proxy = httpProxy.createProxyServer({});
proxy.on("error", (_error, _request, response) => response?.destroy());
const choose = (/** @type {import("node:http").IncomingMessage} */ request) =>
  String(request.headers["baggage"]).includes(marker) ? other : live;

const server = createServer((request, response) => proxy.web(request, response, choose(request)));
server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head, { target }));
server.keepAliveTimeout = 600_000;
server.listen(port, "127.0.0.1", 4096);
