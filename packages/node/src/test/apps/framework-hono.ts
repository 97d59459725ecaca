import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterwards, announce, look, lookAfterwards, type Places, work } from "./framework-work.ts";

const app = new Hono<{ Variables: { places: Places } }>();
app.use(async (c, next) => {
  const places: Places = {};
  c.set("places", places);
  look(places, "middleware");
  await next();
  lookAfterwards("middleware on the way back", { baggage: c.req.header("baggage") ?? "" });
});
app.post("/work", async (c) => c.json(await work(c.get("places"), await c.req.json())));
app.post("/fail", async () => {
  await null;
  throw new Error("as asked");
});
app.get("/afterwards", (c) => c.json(afterwards));
app.onError((_error, c) => {
  look(c.get("places"), "onError");
  return c.json({ places: c.get("places") }, 500);
});
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => announce(server as Server));
