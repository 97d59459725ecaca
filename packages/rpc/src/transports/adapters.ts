import type { IncomingMessage, ServerResponse } from "node:http";
import { RpcError } from "../rpc-error.ts";
import type { ForrstServer } from "../server/create-server.ts";

/**
 * For frameworks in which a handler of `node:http` cannot be used as it is; in Express and on plain Node it can:
 * `app.use("/forrst", server.handle)`. Each takes as much of its framework as it uses, so none is a dependency.
 */

/** The server itself refuses all but POST, with 405. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** As much of a Fastify instance as is used. */
export interface FastifyLike {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(type: string, parser: (...args: never[]) => void): unknown;
  route(options: never): unknown;
}

/**
 * `app.register(createFastifyPlugin(server, "/forrst"))`. Within the plugin, and nowhere else, Fastify leaves bodies
 * alone: they are read by the server, in its limits.
 */
export function createFastifyPlugin(
  server: ForrstServer,
  path: string,
): (fastify: FastifyLike) => Promise<void> {
  return async (fastify) => {
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser("*", (_request: unknown, _body: unknown, done: (error: null) => void) =>
      done(null),
    );
    const handler = (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): void },
    ): void => {
      reply.hijack();
      server.handle(request.raw, reply.raw);
    };
    fastify.route({ method: methods, url: path, handler } as never);
  };
}

/** As much of a Hono context as is used. */
export interface HonoContextLike {
  readonly env: unknown;
}

/**
 * `app.all("/forrst", createHonoHandler(server))`, on `@hono/node-server`. Throws E_RPC_OPTIONS elsewhere: other
 * runtimes give no `node:http` request.
 */
export function createHonoHandler(server: ForrstServer): (context: HonoContextLike) => Response {
  return ({ env }) => {
    const { incoming, outgoing } = (env ?? {}) as Partial<Record<string, unknown>>;
    if (incoming === undefined || outgoing === undefined) {
      throw new RpcError("E_RPC_OPTIONS", "Hono gave no node:http request", {
        hint: "Serve the app with @hono/node-server.",
      });
    }
    server.handle(incoming as IncomingMessage, outgoing as ServerResponse);
    // What @hono/node-server takes as "answered already", if it is the platform's own response: it puts a class in the
    // place of `Response` whose instances it sends without a look at their headers; a clone is none of them.
    return new Response(null, { headers: { "x-hono-already-sent": "true" } }).clone();
  };
}
