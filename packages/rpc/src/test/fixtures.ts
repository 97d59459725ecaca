import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ForrstServer } from "../server/create-server.ts";

type Check = (value: unknown) => boolean;

/** A schema of the given members, each with its check; others are dropped. The smallest thing that speaks Standard Schema. */
export function object<T>(members: Readonly<Record<string, Check>>): StandardSchemaV1<unknown, T> {
  return schema((value) => {
    const input = value as Record<string, unknown>;
    const issues = Object.entries(members)
      .filter(([name, check]) => !check(input[name]))
      .map(([name]) => ({ message: `${name} is not valid`, path: [name] }));
    if (issues.length > 0) return { issues };
    return { value: Object.fromEntries(Object.keys(members).map((name) => [name, input[name]])) as T };
  });
}

function scalar<T>(check: Check): StandardSchemaV1<unknown, T> {
  return schema((value) =>
    check(value) ? { value: value as T } : { issues: [{ message: "is not valid" }] },
  );
}

function schema<T>(validate: (value: unknown) => StandardSchemaV1.Result<T>): StandardSchemaV1<unknown, T> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

export const isNumber: Check = (value) => typeof value === "number";
export const isText: Check = (value) => typeof value === "string";
export const anything: StandardSchemaV1<unknown, unknown> = scalar(() => true);
export const number: StandardSchemaV1<unknown, number> = scalar(isNumber);
export const nothing: StandardSchemaV1<unknown, object> = object({});

/** As `Promise.withResolvers`, which Node 20 has not. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export interface Listening extends AsyncDisposable {
  readonly url: string;
  /** Connections open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** As if the process had been killed: every connection is reset. */
  kill(): void;
}

/** Serves on a random loopback port; ends with everything that is still open. */
export async function listen(server: ForrstServer): Promise<Listening> {
  const http = createHttpServer((request, response) => server.handle(request, response));
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const kill = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/forrst`,
    sockets,
    kill,
    async [Symbol.asyncDispose]() {
      const closed = once(http, "close");
      http.close();
      kill();
      await server.close();
      await closed;
    },
  };
}
