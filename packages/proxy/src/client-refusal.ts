import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { headBytes } from "./headers.ts";
import { errorAnswer } from "./proxy-error.ts";

/** Answers on the bare connection and ends it: node:http has none (or no longer one) to answer with. */
export function refuse(
  socket: Socket,
  status: number,
  code: string,
  message: string,
  headers: readonly string[] = [],
): void {
  const { headers: own, body } = errorAnswer(status, code, message);
  const all = [
    ...own.flat(),
    ...headers,
    "content-length",
    String(Buffer.byteLength(body)),
    "connection",
    "close",
  ];
  socket.write(
    Buffer.concat([headBytes(`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, all), Buffer.from(body)]),
  );
  socket.destroySoon();
}

/** What the parser could not take. */
export function refusalOf(error: NodeJS.ErrnoException): [status: number, code: string, message: string] {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return [431, "E_HEAD_TOO_LARGE", "the request's head is larger than is taken here"];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "E_REQUEST_TIMEOUT", "the request did not come in time"];
    default:
      return [400, "E_REQUEST_MALFORMED", `the request is not valid HTTP/1.1: ${error.message}`];
  }
}
