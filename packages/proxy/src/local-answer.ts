import { checkLine, linesOf } from "./header-edits.ts";
import { errorAnswer } from "./proxy-error.ts";
import { reasonPhrase } from "./reason-phrases.ts";
import type { LocalAnswer } from "./types.ts";

export interface LocalAnswerOptions {
  readonly closes: boolean;
  /** To a HEAD request: without its body. */
  readonly isHead: boolean;
}

/** An answer made here, as bytes. One that cannot be sent as it is told to `onError`, and becomes a 500. */
export function localAnswerBytes(
  answer: LocalAnswer,
  options: LocalAnswerOptions,
  onError: (error: unknown) => void,
): { readonly status: number; readonly bytes: Buffer } {
  try {
    return { status: answer.status, bytes: bytesOf(answer, options) };
  } catch (error) {
    onError(error);
    const own = errorAnswer(500, "E_PLAN_INVALID", "the answer could not be sent as planned");
    return { status: own.status, bytes: bytesOf(own, options) };
  }
}

function bytesOf({ status, headers, body }: LocalAnswer, { closes, isHead }: LocalAnswerOptions): Buffer {
  if (!Number.isInteger(status) || status < 200 || status > 999)
    throw new RangeError(`${status} is no status`);
  for (const [name, value] of headers) checkLine(name, value);
  const content = Buffer.from(body);
  const hasBody = status !== 204 && status !== 304;
  let head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${linesOf(headers)}`;
  if (!hasLine(headers, "date")) head += `Date: ${new Date().toUTCString()}\r\n`;
  if (hasBody && !hasLine(headers, "content-length")) head += `content-length: ${content.length}\r\n`;
  if (closes) head += "Connection: close\r\n";
  const bytes = Buffer.from(`${head}\r\n`, "latin1");
  return hasBody && !isHead ? Buffer.concat([bytes, content]) : bytes;
}

function hasLine(headers: LocalAnswer["headers"], name: string): boolean {
  return headers.some(([candidate]) => candidate.toLowerCase() === name);
}
