import { RegistryError, registryClosed } from "./registry-error.ts";
import type { OnReport } from "./report.ts";

/** Source: gRPC status codes, as etcd's JSON gateway passes them on. */
const grpc = {
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
} as const;
/** The server did not decide, for want of a quorum as a rule (tried: 2 and 14): it may have been done or not. */
const undecided: ReadonlySet<number> = new Set([
  grpc.unknown,
  grpc.deadlineExceeded,
  grpc.internal,
  grpc.unavailable,
]);

/** Codes of failures before a byte of the request could leave. */
const neverSent: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** A member that lost its quorum ends the watches on it, instead of keeping them silent. */
const requireLeader = { "grpc-metadata-hasleader": "true" };

/** Larger than any answer to a page of a listing can be; what is larger is no answer of etcd. */
const maxMessageBytes = 64 * 1024 * 1024;

export interface GatewayOptions {
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
  readonly token: string | undefined;
  readonly onReport: OnReport;
}

/** etcd answered, and the answer is no. Turned into a {@link RegistryError} where the registry knows what it means. */
export class EtcdRefusal extends RegistryError {
  readonly #grpcCode: number | undefined;

  constructor(endpoint: string, path: string, message: string, grpcCode: number | undefined) {
    super("E_REGISTRY_REFUSED", `etcd at ${endpoint} refused ${path}: ${message}.`, {
      hint: "See whether the endpoints, the token and etcd's own state (space, alarms, roles) are right.",
    });
    this.#grpcCode = grpcCode;
  }

  get isNotFound(): boolean {
    return this.#grpcCode === grpc.notFound;
  }

  /** The revision asked for is no longer kept. */
  get isCompacted(): boolean {
    return this.#grpcCode === grpc.outOfRange;
  }
}

/** How an attempt that brought no answer ended. */
class Unanswered extends Error {
  /** Whether the server may have got the request. */
  readonly sent: boolean;

  constructor(cause: unknown, sent: boolean) {
    super(describe(cause), { cause });
    this.sent = sent;
  }
}

/** Calls to etcd's JSON gateway at the first endpoint that answers. Holds no connection of its own when idle. */
export class EtcdGateway {
  readonly #options: GatewayOptions;
  /** The endpoint that answered last. */
  #current = 0;
  /** Those that failed since they last answered: told of once. */
  readonly #failing = new Set<string>();
  readonly #running = new Set<AbortController>();
  #closed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** What may be asked twice: goes on to the next endpoint after any failure. Throws E_REGISTRY_UNREACHABLE. */
  read<T>(path: string, body: unknown): Promise<T> {
    return this.#call(path, body, true);
  }

  /**
   * What must not be done twice: goes on to the next endpoint only when the request was never sent.
   * Throws E_REGISTRY_INDETERMINATE, E_REGISTRY_UNREACHABLE.
   */
  write<T>(path: string, body: unknown): Promise<T> {
    return this.#call(path, body, false);
  }

  /**
   * The messages of one long answer, from the current endpoint. Returns when nothing came for
   * `silenceMs`; throws when the connection broke or could not be made (the next call asks the next endpoint).
   */
  async *stream<T>(
    path: string,
    body: unknown,
    silenceMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<T, void> {
    const endpoint = this.#endpoint();
    const controller = this.#begin();
    const abort = (): void => controller.abort();
    signal.addEventListener("abort", abort);
    let timer = setTimeout(abort, this.#options.timeoutMs);
    let silent = false;
    try {
      if (signal.aborted) return;
      const response = await this.#post(endpoint, path, body, controller.signal);
      const quiet = (): void => {
        silent = true;
        controller.abort();
      };
      for await (const line of linesOf(response, () => {
        clearTimeout(timer);
        timer = setTimeout(quiet, silenceMs);
      })) {
        yield parseAnswer<T>(endpoint, path, response.status, line);
      }
      throw new Unanswered("the stream ended", true);
    } catch (error) {
      if (silent || signal.aborted || this.#closed) return;
      if (!(error instanceof EtcdRefusal)) this.#failed(endpoint, error);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.#running.delete(controller);
      controller.abort();
    }
  }

  close(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort();
  }

  async #call<T>(path: string, body: unknown, repeatable: boolean): Promise<T> {
    let failure: Unanswered | undefined;
    for (const _ of this.#options.endpoints) {
      const endpoint = this.#endpoint();
      try {
        return await this.#attempt<T>(endpoint, path, body);
      } catch (error) {
        if (this.#closed) throw registryClosed();
        if (!(error instanceof Unanswered)) throw error;
        failure = error;
        this.#failed(endpoint, error);
        if (failure.sent && !repeatable) throw indeterminate(endpoint, failure);
      }
    }
    throw unreachable(this.#options.endpoints, failure);
  }

  async #attempt<T>(endpoint: string, path: string, body: unknown): Promise<T> {
    const controller = this.#begin();
    const { timeoutMs } = this.#options;
    const timer = setTimeout(
      () => controller.abort(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const response = await this.#post(endpoint, path, body, controller.signal);
      let text = "";
      for await (const line of linesOf(response)) text += line;
      const answer = parseAnswer<T>(endpoint, path, response.status, text);
      this.#failing.delete(endpoint);
      return answer;
    } catch (error) {
      if (error instanceof EtcdRefusal || error instanceof Unanswered) throw error;
      throw new Unanswered(error, true);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
    }
  }

  async #post(endpoint: string, path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const { token } = this.#options;
    const headers: Record<string, string> = { "content-type": "application/json", ...requireLeader };
    if (token !== undefined) headers["authorization"] = token;
    try {
      return await fetch(`${endpoint}${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
        signal,
      });
    } catch (error) {
      const cause = (error as Error).cause as { code?: unknown } | undefined;
      const code = typeof cause?.code === "string" ? cause.code : "";
      throw new Unanswered(cause ?? error, !(neverSent.has(code) || /CERT|TLS|SSL/.test(code)));
    }
  }

  #begin(): AbortController {
    if (this.#closed) throw registryClosed();
    const controller = new AbortController();
    this.#running.add(controller);
    return controller;
  }

  #endpoint(): string {
    return this.#options.endpoints[this.#current] ?? "";
  }

  /** Moves on, once, however many calls failed at this endpoint together. */
  #failed(endpoint: string, cause: unknown): void {
    const { endpoints, onReport } = this.#options;
    if (this.#endpoint() === endpoint) this.#current = (this.#current + 1) % endpoints.length;
    if (!this.#failing.has(endpoint)) onReport({ kind: "endpoint-failed", endpoint, cause });
    this.#failing.add(endpoint);
  }
}

/** Lines of a body, none longer than {@link maxMessageBytes}. `onBytes` is called as bytes come. */
async function* linesOf(response: Response, onBytes: () => void = () => {}): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  onBytes();
  for await (const chunk of response.body ?? []) {
    onBytes();
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      yield parts.join("") + line;
      parts = [];
      length = 0;
    }
    parts.push(rest);
    length += rest.length;
    if (length > maxMessageBytes) throw new Error(`a message is longer than ${maxMessageBytes} bytes`);
  }
  if (length > 0) yield parts.join("");
}

interface GatewayError {
  readonly message?: string;
  readonly code?: number;
  readonly grpc_code?: number;
}

/** Throws EtcdRefusal when it is etcd's no, Unanswered when etcd did not decide or it is not etcd that spoke. */
function parseAnswer<T>(endpoint: string, path: string, status: number, text: string): T {
  let answer: { error?: GatewayError | string; message?: string; code?: number } & T;
  try {
    answer = JSON.parse(text);
  } catch {
    // Not etcd: a proxy's page, or an answer cut short.
    if (status < 400 || status >= 500) throw new Unanswered(`status ${status} without JSON`, true);
    throw new EtcdRefusal(endpoint, path, `status ${status}`, undefined);
  }
  if (status === 200 && answer.error === undefined) return answer;
  // A unary call has {error: text, code}, a stream {error: {message, grpc_code}}.
  const error: GatewayError = typeof answer.error === "object" ? answer.error : answer;
  const code = error.grpc_code ?? error.code;
  const message = error.message ?? String(answer.error ?? `status ${status}`);
  if (code !== undefined && undecided.has(code)) throw new Unanswered(message, true);
  throw new EtcdRefusal(endpoint, path, message, code);
}

function indeterminate(endpoint: string, cause: Unanswered): RegistryError {
  return new RegistryError(
    "E_REGISTRY_INDETERMINATE",
    `etcd at ${endpoint} did not say whether it wrote: ${cause.message}. It may have, or may yet.`,
    { hint: "Read the key again, then write with ifRevision.", cause: cause.cause },
  );
}

function unreachable(endpoints: readonly string[], cause: Unanswered | undefined): RegistryError {
  return new RegistryError(
    "E_REGISTRY_UNREACHABLE",
    `No etcd answers at ${endpoints.join(", ")}: ${cause?.message ?? "no endpoint"}.`,
    { hint: "See whether etcd runs, has a quorum, and can be reached from here.", cause: cause?.cause },
  );
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return cause.message || String(code ?? cause.name);
}
