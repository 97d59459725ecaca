// @ts-check
import replyFrom from "@fastify/reply-from";
import fastify from "fastify";
import { divertedRoute } from "../request.mjs";

const [port, backEnd] = process.argv.slice(2).map(Number);
const marker = `clew-route=${divertedRoute}`;
const base = `http://127.0.0.1:${backEnd}`;
const undici = { connections: 128, pipelining: 1, keepAliveTimeout: 600_000 };

const app = fastify({ logger: false, keepAliveTimeout: 600_000, requestTimeout: 0 });
// Bodies are handed on as they come.
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", (_request, body, done) => done(null, body));
await app.register(replyFrom, { base, undici });
app.all("/*", (request, reply) => {
  const isOther = String(request.headers["baggage"]).includes(marker);
  return reply.from(isOther ? `${base}${request.raw.url}` : request.raw.url);
});
await app.listen({ port, host: "127.0.0.1", backlog: 4_096 });
