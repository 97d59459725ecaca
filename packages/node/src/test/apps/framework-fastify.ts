import { fastify } from "fastify";
import { afterwards, announce, look, lookAfterwards, type Places, work } from "./framework-work.ts";

const app = fastify();
const placesOf = new WeakMap<object, Places>();
const places = (request: object): Places => placesOf.get(request) ?? {};
app.addHook("onRequest", async (request) => {
  placesOf.set(request, {});
  look(places(request), "onRequest");
});
app.addHook("preHandler", (request, _reply, done) => {
  look(places(request), "preHandler");
  done();
});
app.addHook("onResponse", async (request) => lookAfterwards("onResponse", request.headers));
app.setErrorHandler((_error, request, reply) => {
  look(places(request), "error handler");
  reply.status(500).send({ places: places(request) });
});
app.post<{ Body: { via?: string } }>("/work", (request) => work(places(request), request.body));
app.post("/fail", async () => {
  throw new Error("as asked");
});
app.get("/afterwards", async () => afterwards);
await app.listen({ port: 0, host: "127.0.0.1" });
announce(app.server);
