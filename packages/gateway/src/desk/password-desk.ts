import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { duplexPair } from "node:stream";
import { hashPassword, type Preview } from "@clew/control";
import type { LocalAnswer, Plan, Upstream } from "@clew/proxy";
import { type Client, countedAs } from "../edge/client.ts";
import { createRateLimit, type Rate } from "../edge/rate-limit.ts";
import { renderPage } from "../pages/page.ts";
import { misusePage, passwordPage, tooManyGuessesPage } from "../pages/preview-pages.ts";
import { sameHostLocation } from "../request-target.ts";
import { doorHeaders, isSame, passCookie, redirect } from "../visit/entrance.ts";
import type { VisitorPasses } from "../visit/visitor-pass.ts";

export interface PasswordDeskOptions {
  readonly passes: VisitorPasses;
  /** Wrong passwords of one client for one preview. */
  readonly perClient: Rate;
  /** Wrong passwords of all clients for one preview. */
  readonly perPreview: Rate;
  /** Clients and previews whose tries are counted at once. */
  readonly maxCounted: number;
  /** Passwords looked at at once. */
  readonly maxChecks: number;
}

/** One try, as the entrance saw it come. */
interface PasswordTry {
  readonly preview: Preview;
  readonly client: Client;
  /** Where the form is sent again. */
  readonly action: string;
  readonly isHtml: boolean;
}

export interface PasswordDesk {
  /** Leads the request with the filled-in form here. */
  plan(attempt: PasswordTry): Plan;
  close(): void;
}

/** Bytes of a form: a password and an address to return to. 16 KiB: far above both. More is no form. */
const maxFormBytes = 16 * 1024;
/** How long a form may be on its way, in ms. 10 s: it is one packet as a rule. */
const formTimeoutMs = 10_000;
/** The proxy takes 32 KiB, and adds some. */
const maxHeadBytes = 64 * 1024;

/** Which try a request at the desk is; taken out of what comes from outside. */
const ticketHeader = "clew-ticket";

/**
 * Reads the password form: the one page of the gateway's that has a body. It is a server without a port, which the proxy
 * reaches over a pipe in this process. scrypt runs off the event loop, for a few at once.
 */
export function createPasswordDesk(options: PasswordDeskOptions): PasswordDesk {
  const tickets = new Map<string, PasswordTry>();
  const check = createCheck(options);
  const server = createServer(
    { maxHeaderSize: maxHeadBytes, requestTimeout: formTimeoutMs, headersTimeout: formTimeoutMs },
    (request, response) => {
      const ticket = String(request.headers[ticketHeader]);
      const attempt = tickets.get(ticket);
      tickets.delete(ticket);
      void serve(attempt, request, response, check);
    },
  );
  const upstream: Upstream = {
    key: "clew:password-desk",
    connect: async () => {
      const [ours, theirs] = duplexPair();
      server.emit("connection", theirs);
      return ours;
    },
  };
  return {
    plan(attempt) {
      const ticket = randomUUID();
      tickets.set(ticket, attempt);
      return {
        upstream,
        requestHeaders: { remove: [ticketHeader], set: [[ticketHeader, ticket]] },
        done: () => void tickets.delete(ticket),
      };
    },
    close: () => server.closeAllConnections(),
  };
}

type Check = (attempt: PasswordTry, form: URLSearchParams) => Promise<LocalAnswer>;

async function serve(
  attempt: PasswordTry | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  check: Check,
): Promise<void> {
  const form = await readForm(request);
  const answer =
    attempt === undefined || form === undefined
      ? renderPage(misusePage, attempt?.isHtml ?? false)
      : await check(attempt, form);
  response.writeHead(answer.status, answer.headers.flat());
  response.end(answer.body);
}

/** Undefined for what is no form, or too long. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes <= maxFormBytes) pieces.push(piece);
    }
  } catch {
    // The client has gone: nobody gets the answer.
    return undefined;
  }
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "");
  if (!isForm || bytes > maxFormBytes) return undefined;
  return new URLSearchParams(Buffer.concat(pieces).toString());
}

function createCheck({ passes, perClient, perPreview, maxCounted, maxChecks }: PasswordDeskOptions): Check {
  const byClient = createRateLimit(perClient, maxCounted);
  const byPreview = createRateLimit(perPreview, maxCounted);
  let running = 0;
  /** What one client is refused does not use up what all have together. */
  const takeTry = (who: string, slug: string): number => {
    const own = byClient.take(who);
    if (!own.ok) return own.waitMs;
    const all = byPreview.take(slug);
    if (all.ok) return 0;
    byClient.giveBack(who);
    return all.waitMs;
  };
  return async ({ preview, client, action, isHtml }, form) => {
    const { slug, access } = preview;
    if (access.kind !== "password") return renderPage(misusePage, isHtml);
    const returnTo = sameHostLocation(form.get("return") ?? "/");
    const who = `${slug} ${countedAs(client.address)}`;
    if (running >= maxChecks) return renderPage(tooManyGuessesPage(1), isHtml);
    // Counted before it is looked at, so that many at once are no way around.
    const waitMs = takeTry(who, slug);
    if (waitMs > 0) return renderPage(tooManyGuessesPage(Math.ceil(waitMs / 1_000)), isHtml);
    running += 1;
    try {
      const hash = await hashPassword(form.get("password") ?? "", access.salt);
      if (!isSame(hash, access.hash)) {
        return renderPage(passwordPage({ action, returnTo }, "That is not the password."), isHtml);
      }
    } finally {
      running -= 1;
    }
    byClient.giveBack(who);
    byPreview.giveBack(slug);
    const cookie = passCookie(passes.issue(preview).value, preview, client);
    return redirect(returnTo, [cookie], doorHeaders(action));
  };
}
