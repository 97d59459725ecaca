import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { managerPath } from "@clew/control";
import type { ForrstServer } from "@clew/rpc";
import type { Relay } from "@clew/tunnel";
import type { Access } from "./access.ts";
import type { ManagerError } from "./manager-error.ts";
import { httpStatus } from "./rescue.ts";

export interface HttpHandlerOptions {
  readonly access: Access;
  readonly rpc: Pick<ForrstServer, "handle">;
  /** For `GET /healthz`: whether what is served is up to date. */
  readonly isHealthy: () => boolean;
  readonly environment: string;
}

/** Everything that the manager answers over plain HTTP/1.1. */
export function createHttpHandler(
  options: HttpHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { access, rpc } = options;
  return (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    // The server of the calls refuses strangers itself, in words that its clients read.
    if (path === managerPath) return rpc.handle(request, response);
    const refusal = access.refuseRequest(request);
    if (refusal) return sendRefusal(response, refusal);
    if (request.method !== "GET" && request.method !== "HEAD")
      return sendText(response, 404, `POST calls go to ${managerPath}.\n`);
    if (path === "/healthz") {
      const healthy = options.isHealthy();
      return sendText(response, healthy ? 200 : 503, healthy ? "ok\n" : "the registry cannot be reached\n");
    }
    if (path === "/") return sendText(response, 200, about(options.environment));
    sendText(response, 404, `Nothing is here. Calls go to POST ${managerPath}, health is at GET /healthz.\n`);
  };
}

/** Upgrades belong to the relay, but for those that a web page of somebody else may have made. */
export function createUpgradeHandler(
  access: Access,
  relay: Pick<Relay, "handleUpgrade">,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    const refusal = access.refuseRequest(request);
    if (!refusal) return relay.handleUpgrade(request, socket, head);
    socket.end(
      `HTTP/1.1 ${httpStatus(refusal)} Refused\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${refusalBody(refusal)}`,
    );
  };
}

function sendRefusal(response: ServerResponse, error: ManagerError): void {
  response.writeHead(httpStatus(error), { "content-type": "application/json", connection: "close" });
  response.end(refusalBody(error));
}

function refusalBody({ code, message, hint }: ManagerError): string {
  return `${JSON.stringify({ code, message, hint })}\n`;
}

function about(environment: string): string {
  return `This is the Clew manager of the environment "${environment}".

It tells agents which requests go to a developer's machine, and relays them there.
Calls: POST ${managerPath} (Forrst). Health: GET /healthz.
`;
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end(text);
}
