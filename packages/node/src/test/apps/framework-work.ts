// What the applications on frameworks have in common: none of it knows of propagation, all of it looks at the context.
import { type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { context } from "@clew/context";
import axios from "axios";
import got from "got";
import * as undici from "undici";

/** The tenant that was ambient, by place. */
export type Places = Record<string, unknown>;

export function look(places: Places, place: string): void {
  places[place] = context.get("tenant_id");
}

const target = process.env["TARGET"] ?? "";

/** Asks the backend which context reached it, with a client that people use. */
const clients: Readonly<Record<string, () => Promise<string>>> = {
  axios: async () => (await axios.get(target, { responseType: "text" })).data,
  got: () => got(target).text(),
  undici: async () => (await undici.fetch(target)).text(),
  fetch: async () => (await fetch(target)).text(),
  http: () =>
    new Promise((resolve, reject) => {
      request(target, (answer) => text(answer).then(resolve, reject))
        .on("error", reject)
        .end();
    }),
};

export interface Work {
  readonly places: Places;
  readonly body: unknown;
  readonly backend: string;
}

/** What a handler of a framework does: look, call, look again. */
export async function work(places: Places, body: { via?: string }): Promise<Work> {
  look(places, "handler");
  const backend = await clients[body.via ?? "http"]?.();
  look(places, "after the call");
  return { places, body, backend: backend ?? "" };
}

/** What was seen where no answer can tell of it any more. */
export const afterwards: { count: number; readonly wrong: string[] } = { count: 0, wrong: [] };

/** Looks, in a place behind the answer, for the context that the request came with. */
export function lookAfterwards(place: string, headers: IncomingHttpHeaders): void {
  const baggage = context.current()?.baggage;
  afterwards.count += 1;
  if (baggage !== (headers["baggage"] ?? "")) afterwards.wrong.push(`${place}: ${baggage}`);
}

/** Says the port, and closes when told to end. */
export function announce(server: Server): void {
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
  process.on("SIGTERM", () => {
    server.close();
    server.closeAllConnections();
  });
}
