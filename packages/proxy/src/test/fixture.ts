import assert from "node:assert/strict";
import { type Echo, type RawPeer, rawExchange } from "@clew/testing";
import {
  type AnswerLimits,
  type LocalAnswer,
  type Outcome,
  type Plan,
  type ProxyLimits,
  type RequestHead,
  startProxy,
  tcpUpstream,
} from "../index.ts";

export interface ProxyUnderTest extends AsyncDisposable {
  readonly port: number;
  /** Of every exchange that is over, in order. */
  readonly outcomes: readonly Outcome[];
  readonly errors: readonly unknown[];
  retire(port: number): void;
  close(graceMs?: number): Promise<void>;
}

export interface Setup {
  readonly to: number;
  /** Of the upstream; the fallback has none. */
  readonly answerLimits?: AnswerLimits;
  readonly fallback?: number;
  readonly plan?: Partial<Plan>;
  readonly route?: (head: RequestHead, plan: Plan) => Plan | LocalAnswer;
  readonly limits?: Partial<ProxyLimits>;
}

/** A proxy that sends everything to one loopback port. */
export async function proxyTo(setup: Setup): Promise<ProxyUnderTest> {
  const outcomes: Outcome[] = [];
  const errors: unknown[] = [];
  const plan: Plan = {
    upstream: tcpUpstream("127.0.0.1", setup.to, setup.answerLimits),
    fallback: setup.fallback === undefined ? undefined : tcpUpstream("127.0.0.1", setup.fallback),
    done: (outcome) => outcomes.push(outcome),
    ...setup.plan,
  };
  const proxy = await startProxy({
    listen: { host: "127.0.0.1", port: 0 },
    route: (head) => setup.route?.(head, plan) ?? plan,
    limits: setup.limits,
    onError: (error) => errors.push(error),
  });
  return {
    port: proxy.address.port,
    outcomes,
    errors,
    retire: (port) => proxy.retire(tcpUpstream("127.0.0.1", port).key),
    close: (graceMs) => proxy.close(graceMs === undefined ? {} : { graceMs }),
    [Symbol.asyncDispose]: () => proxy.close({ graceMs: 0 }),
  };
}

export interface Message {
  readonly head: string;
  readonly status: number;
  readonly body: string;
}

/** Splits one message's bytes (as latin1) at the end of its head. */
export function messageOf(bytes: Buffer): Message {
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  assert.notEqual(end, -1, `no whole head in ${JSON.stringify(text)}`);
  return { head: text.slice(0, end), status: Number(text.slice(9, 12)), body: text.slice(end + 4) };
}

/** What `startUpstream` echoed, out of the whole answer. */
export function echoOf(bytes: Buffer): Echo {
  return JSON.parse(bytes.subarray(bytes.indexOf("\r\n\r\n")).toString()) as Echo;
}

/** Sends one request on a connection of its own and reads until its end. */
export async function exchange(port: number, request: string): Promise<Message> {
  return messageOf(await rawExchange(port, request));
}

export const get = (target = "/"): string => `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;

export const post = (body: string, ...lines: string[]): string =>
  [
    `POST / HTTP/1.1`,
    "Host: h",
    "Connection: close",
    `Content-Length: ${body.length}`,
    ...lines,
    "",
    body,
  ].join("\r\n");

/** Plays an upstream: answers each head (requests without bodies) with the same bytes. */
export const answering =
  (bytes: string) =>
  (peer: RawPeer): void => {
    let answered = 0;
    peer.socket.on("data", () => {
      const heads = peer.received.toString("latin1").split("\r\n\r\n").length - 1;
      for (; answered < heads; answered++) peer.write(bytes);
    });
  };
