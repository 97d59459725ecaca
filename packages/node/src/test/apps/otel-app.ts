import type { IncomingMessage, RequestOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Baggage, context, propagation, trace } from "@opentelemetry/api";
import { Agent, setGlobalDispatcher } from "undici";
import type { OtelCall, OtelHop, OtelPlan, Seen } from "./otel-plan.ts";

type Clew = typeof import("@clew/context");
type Http = Pick<typeof import("node:http"), "createServer" | "request">;

/**
 * A service that knows OpenTelemetry's API, and Clew's unless CLEW_ABSENT is set. It is given `node:http`, so that it
 * can be one that was imported or one that was required. CONNECTIONS limits those of fetch to one origin.
 */
export async function startOtelApp(http: Http): Promise<void> {
  const clew = process.env["CLEW_ABSENT"] === undefined ? await import("@clew/context") : undefined;
  const connections = Number(process.env["CONNECTIONS"] ?? 0);
  if (connections > 0) setGlobalDispatcher(new Agent({ connections }));
  const server = http.createServer((req, res) => {
    answer(req, http, clew).then(
      (hop) => res.end(JSON.stringify(hop)),
      (error) => res.writeHead(500).end(String(error.stack)),
    );
  });
  server.listen(0, "127.0.0.1", () =>
    process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`),
  );
  process.on("SIGTERM", () => process.exit());
}

async function answer(req: IncomingMessage, http: Http, clew: Clew | undefined): Promise<OtelHop> {
  const plan: OtelPlan = JSON.parse((await text(req)) || "{}");
  const seen = look(clew);
  const seenAtCalls: Seen[] = [];
  const hops: unknown[] = [];
  for (const call of plan.calls ?? []) {
    const send = async (): Promise<string> => {
      seenAtCalls.push(look(clew));
      return call.via === "fetch" ? sendByFetch(call) : sendByHttp(call, http);
    };
    hops.push(JSON.parse(await inClewScope(call, clew, () => inOtelScope(call, send))));
  }
  const headers = Object.fromEntries(
    Object.entries(req.headersDistinct).map(([name, values]) => [name, values ?? []]),
  );
  const clientSpans = Reflect.get(globalThis, Symbol.for("clew.test.client-spans")) ?? [];
  return { headers, seen, seenAtCalls, clientSpans, hops };
}

function inClewScope<T>({ fields }: OtelCall, clew: Clew | undefined, fn: () => T): T {
  return fields === undefined || clew === undefined ? fn() : clew.context.with(fields, fn);
}

function inOtelScope<T>({ entries }: OtelCall, fn: () => T): T {
  if (entries === undefined) return fn();
  let baggage: Baggage = propagation.getActiveBaggage() ?? propagation.createBaggage();
  for (const [name, value] of Object.entries(entries)) baggage = baggage.setEntry(name, { value });
  return context.with(propagation.setBaggage(context.active(), baggage), fn);
}

function look(clew: Clew | undefined): Seen {
  const current = clew?.context.current();
  const entries = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  const span = trace.getActiveSpan()?.spanContext();
  return {
    clew: clew && Object.fromEntries(current?.entries() ?? []),
    caller: current?.caller,
    traceparent: current?.traceparent,
    openTelemetry: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    spanId: span?.spanId,
    traceId: span?.traceId,
  };
}

async function sendByFetch({ url, plan, headers }: OtelCall): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify(plan ?? {}),
    headers: headers ?? {},
  });
  return response.text();
}

function sendByHttp({ url, plan, headers }: OtelCall, { request }: Http): Promise<string> {
  const options: RequestOptions = { method: "POST", headers: headers ?? {} };
  return new Promise((resolve, reject) => {
    request(url, options, (res) => text(res).then(resolve, reject))
      .on("error", reject)
      .end(JSON.stringify(plan ?? {}));
  });
}
