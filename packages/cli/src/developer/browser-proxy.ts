import { once } from "node:events";
import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { extractContext, isLoopbackHost, routeField } from "@clew/context";
import {
  type AnswerHead,
  type HeaderEdits,
  type LocalAnswer,
  type Plan,
  type RequestHead,
  startProxy,
  tcpUpstream,
  type Upstream,
} from "@clew/proxy";

export interface BrowserProxyOptions {
  /** What the browser is to see. Its path is where it starts. */
  readonly target: URL;
  readonly route: string;
  /** The routing key that goes with each request; asked for each time, since a key gets a successor. */
  key(): string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface BrowserProxy {
  /** The address to open. */
  readonly url: string;
  close(): Promise<void>;
}

/** Reaching a system that is far away, with its certificate. */
const connectTimeoutMs = 10_000;
/** Nobody waits for a page when Ctrl-C was pressed. */
const closeGraceMs = 500;

/**
 * Listens on loopback, and hands each request on to the target with the route's key. The host name holds the route, so
 * that the browser keeps cookies of two routes apart: it does not by port.
 */
export async function startBrowserProxy(options: BrowserProxyOptions): Promise<BrowserProxy> {
  const { target, route, port } = options;
  const upstream = upstreamOf(target);
  let local = new URL(`http://${route}.localhost/`);
  const proxy = await startProxy({
    listen: { host: "127.0.0.1", port },
    limits: { connectTimeoutMs },
    route: (head) => refuseStrangers(head) ?? planOf(head, { ...options, upstream, local }),
    onError: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  });
  local = new URL(`http://${route}.localhost:${proxy.address.port}/`);
  const url = new URL(target.pathname + target.search + target.hash, local);
  return { url: url.href, close: () => proxy.close({ graceMs: closeGraceMs }) };
}

/** A page of somebody else, whose name was made to resolve to this machine, must not use the route (DNS rebinding). */
function refuseStrangers(head: RequestHead): LocalAnswer | undefined {
  const host = head.header("host") ?? "";
  if (isLoopbackHost(host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"))) return undefined;
  return {
    status: 421,
    headers: [
      ["content-type", "text/plain; charset=utf-8"],
      ["clew-error", "E_HOST_REFUSED"],
    ],
    body: "This address is for the browser of the machine that runs clew browser.\n",
  };
}

interface Exchange extends BrowserProxyOptions {
  readonly upstream: Upstream;
  readonly local: URL;
}

function planOf(head: RequestHead, { target, local, upstream, key }: Exchange): Plan {
  const baggage = extractContext((name) => (name === "baggage" ? head.header(name) : undefined)).with({
    [routeField]: key(),
  }).baggage;
  const set: Array<readonly [string, string]> = [
    ["host", target.host],
    ["baggage", baggage],
  ];
  // To the service, its own page asks: its checks against requests of other sites hold.
  for (const name of ["origin", "referer"]) {
    const value = head.header(name);
    if (value !== undefined) set.push([name, moved(value, local, target)]);
  }
  return {
    upstream,
    requestHeaders: { remove: ["host", "baggage", "origin", "referer"], set },
    responseHeaders: (answer) => answerEdits(answer, { target, local }),
  };
}

const mappedHeaders = ["location", "content-location", "access-control-allow-origin", "set-cookie"];

/** What names the target names this address; a cookie of the target's domain is one of this host. */
function answerEdits(
  { rawHeaders }: AnswerHead,
  { target, local }: Pick<Exchange, "target" | "local">,
): HeaderEdits {
  const set: Array<readonly [string, string]> = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = [rawHeaders[at]?.toLowerCase(), rawHeaders[at + 1]];
    if (!mappedHeaders.includes(name)) continue;
    set.push([name, name === "set-cookie" ? withoutDomain(value) : moved(value, target, local)]);
  }
  // It would bind a name of this machine to TLS.
  return { remove: [...mappedHeaders, "strict-transport-security"], set };
}

/** A URL of one origin as one of the other; any other text as it is. */
function moved(text: string, from: URL, to: URL): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  return url.origin === from.origin ? to.origin + text.slice(text.indexOf(url.host) + url.host.length) : text;
}

function withoutDomain(cookie: string): string {
  return cookie
    .split(";")
    .filter((part, index) => index === 0 || !/^\s*domain\s*=/i.test(part))
    .join(";");
}

function upstreamOf({ protocol, hostname, port }: URL): Upstream {
  const named = hostname.replace(/^\[(.*)\]$/, "$1");
  // Names below `localhost` are this machine without any DNS (RFC 6761 §6.3).
  const host = named.endsWith(".localhost") ? "127.0.0.1" : named;
  if (protocol === "http:") return tcpUpstream(host, Number(port || 80));
  const tlsPort = Number(port || 443);
  return {
    key: `tls://${hostname}:${tlsPort}`,
    async connect(signal) {
      // RFC 6066 §3: the name of a server is never an address.
      const servername = isIP(named) === 0 ? named : undefined;
      const socket = connectTls({
        host,
        port: tlsPort,
        ALPNProtocols: ["http/1.1"],
        ...(servername === undefined ? {} : { servername }),
      });
      const abort = (): void => void socket.destroy();
      signal.addEventListener("abort", abort, { once: true });
      try {
        await once(socket, "secureConnect", { signal });
      } finally {
        signal.removeEventListener("abort", abort);
      }
      return socket;
    },
  };
}
