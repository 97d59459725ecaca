import { readMessage } from "../http-message.ts";

/** Source: RFC 9110 §7.6.1. `transfer-encoding` is not among them: framing is to stay as it was. */
const hopByHopNames: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "upgrade",
]);

/** What a receiver may tell of a message that came over one hop or two: all but what belongs to the hop. */
export interface Comparable {
  readonly startLine: string;
  readonly lines: readonly string[];
  /** As latin1, chunks as they are. */
  readonly rest: string;
}

/**
 * A message (or the first of several, with all that follows it as `rest`) without the lines for one hop, and without the version of
 * HTTP, which is each hop's own (RFC 9110 §6.2).
 */
export function comparable(bytes: Buffer, own: readonly string[] = []): Comparable {
  const headEnd = bytes.indexOf("\r\n\r\n", 0, "latin1");
  if (headEnd === -1) return { startLine: bytes.toString("latin1"), lines: [], rest: "" };
  const [startLine = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split("\r\n");
  const nameOf = (line: string): string => line.slice(0, line.indexOf(":")).toLowerCase();
  const nominated = lines
    .filter((line) => nameOf(line) === "connection")
    .flatMap((line) => line.slice(line.indexOf(":") + 1).split(","))
    .map((token) => token.trim().toLowerCase());
  const gone = new Set([...hopByHopNames, ...nominated, ...own]);
  return {
    startLine: startLine.replace(/HTTP\/1\.[01]/, "HTTP/1.x"),
    lines: lines.filter((line) => !gone.has(nameOf(line))),
    rest: bytes.subarray(headEnd + 4).toString("latin1"),
  };
}

/** The same of an answer's bytes: each interim answer, and the answer proper with its body. */
export function comparableAnswers(bytes: Buffer): Comparable[] {
  const answers: Comparable[] = [];
  let from = 0;
  for (;;) {
    const message = readMessage(bytes, from);
    const isInterim = message !== undefined && /^HTTP\/1\.. 1(?!01)/.test(message.startLine);
    if (!isInterim) {
      answers.push(comparable(bytes.subarray(from)));
      return answers;
    }
    answers.push(comparable(bytes.subarray(from, message.end)));
    from = message.end;
  }
}
