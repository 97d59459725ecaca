import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import { afterwards, announce, look, lookAfterwards, type Places, work } from "./framework-work.ts";

type Request = IncomingMessage & { places: Places; body: { via?: string } };
type Response = ServerResponse & { json(value: unknown): void; status(code: number): Response };

const app = express();
app.use(express.json());
app.use((req: Request, res: Response, next: () => void) => {
  req.places = {};
  look(req.places, "middleware");
  res.on("finish", () => lookAfterwards("finish", req.headers));
  next();
});
app.post("/work", async (req: Request, res: Response) => res.json(await work(req.places, req.body)));
app.post("/fail", async () => {
  await null;
  throw new Error("as asked");
});
app.get("/afterwards", (_req: unknown, res: Response) => res.json(afterwards));
app.use((_error: Error, req: Request, res: Response, _next: unknown) => {
  look(req.places, "error middleware");
  res.status(500).json({ places: req.places });
});
const server = app.listen(0, "127.0.0.1", () => announce(server));
