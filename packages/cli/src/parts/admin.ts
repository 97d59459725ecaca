import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  formatMetrics,
  type ListenAddress,
  listenOn,
  type MetricFamily,
  metricsMediaType,
} from "@clew/proxy";

export interface AdminOptions {
  readonly listen: ListenAddress;
  collect(): MetricFamily[] | Promise<MetricFamily[]>;
  /** Whether requests may be sent to this process: it serves, and is not about to end. */
  isReady(): boolean;
}

/** What operators and their tools ask of a process: `/metrics`, `/healthz`, `/readyz`. */
export interface Admin {
  readonly server: Server;
  close(): Promise<void>;
}

/** Throws E_LISTEN. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      reply(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  await listenOn(server, options.listen);
  let closed: Promise<unknown> | undefined;
  return {
    server,
    async close() {
      closed ??= once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { collect, isReady }: AdminOptions,
  { method, url = "" }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== "GET" && method !== "HEAD") return reply(response, 405, "only GET\n");
  switch (url.split("?", 1)[0]) {
    case "/metrics":
      return reply(
        response,
        200,
        formatMetrics([...(await collect()), ...processMetrics()]),
        metricsMediaType,
      );
    case "/healthz":
      return reply(response, 200, "alive\n");
    case "/readyz":
      return isReady() ? reply(response, 200, "ready\n") : reply(response, 503, "not ready\n");
    default:
      return reply(response, 404, "there are /metrics, /healthz and /readyz\n");
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}

/** Of the process that answers. Names as Prometheus' own clients have them. */
function processMetrics(): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const one = (name: string, type: "counter" | "gauge", help: string, value: number): MetricFamily => ({
    name,
    type,
    help,
    samples: [{ labels: {}, value }],
  });
  return [
    one("process_cpu_seconds_total", "counter", "CPU time of this process.", (user + system) / 1e6),
    one("process_resident_memory_bytes", "gauge", "Memory of this process.", process.memoryUsage.rss()),
    one(
      "process_start_time_seconds",
      "gauge",
      "When this process started, in seconds since 1970.",
      performance.timeOrigin / 1_000,
    ),
  ];
}
