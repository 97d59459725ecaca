import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import Koa from "koa";
import { afterwards, announce, look, lookAfterwards, type Places, work } from "./framework-work.ts";

interface Exchange {
  readonly path: string;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly state: { places: Places };
  status: number;
  body: unknown;
  throw(status: number, message: string): never;
}

const app = new Koa();
app.on("error", () => {});
app.use(async (ctx: Exchange, next: () => Promise<void>) => {
  const places: Places = {};
  ctx.state.places = places;
  look(places, "middleware");
  ctx.res.on("finish", () => lookAfterwards("finish", ctx.req.headers));
  try {
    await next();
    look(places, "middleware on the way back");
  } catch {
    // The failure was asked for.
    look(places, "error middleware");
    ctx.status = 500;
    ctx.body = { places };
  }
});
app.use(async (ctx: Exchange) => {
  if (ctx.path === "/afterwards") {
    ctx.body = afterwards;
    return;
  }
  const body = JSON.parse(await text(ctx.req));
  if (ctx.path === "/fail") ctx.throw(500, "as asked");
  ctx.body = await work(ctx.state.places, body);
});
const server = app.listen(0, "127.0.0.1", () => announce(server));
