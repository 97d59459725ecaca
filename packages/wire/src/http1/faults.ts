/** Why a message is refused. Closed: everything else is understood in one way only. */
export type HeadFault =
  | "request-line"
  | "status-line"
  | "version"
  | "target"
  | "field-name"
  | "space-before-colon"
  | "folded-line"
  | "no-colon"
  | "control-byte"
  | "bare-cr"
  | "bare-lf"
  | "no-host"
  | "two-hosts"
  | "host"
  | "other-host"
  | "content-length"
  | "two-content-lengths"
  | "transfer-encoding"
  | "two-transfer-encodings"
  | "transfer-encoding-in-http10"
  | "both-lengths"
  | "head-too-large"
  | "line-too-long";

/** Why a chunked body is refused. */
export type ChunkFault =
  | "chunk-size"
  | "chunk-size-too-large"
  | "chunk-extension"
  | "chunk-extensions-too-long"
  | "chunk-end"
  | "trailer"
  | "trailers-too-large";

const words: Record<HeadFault | ChunkFault, string> = {
  "request-line": "a first line that is not `METHOD target HTTP/1.1`",
  "status-line": "a first line that is not `HTTP/1.1 status reason`",
  version: "a version other than HTTP/1.0 and HTTP/1.1",
  target: "a target that is neither a path nor a URL",
  "field-name": "a field name that is none",
  "space-before-colon": "white space before a colon",
  "folded-line": "a folded line",
  "no-colon": "a line without a colon",
  "control-byte": "a control byte",
  "bare-cr": "a carriage return without a line feed",
  "bare-lf": "a line feed without a carriage return",
  "no-host": "no host line",
  "two-hosts": "more than one host line",
  host: "a host line whose value is no host",
  "other-host": "a target and a host line that name different hosts",
  "content-length": "a content-length that is no number",
  "two-content-lengths": "more than one content-length",
  "transfer-encoding": "a transfer-encoding other than chunked",
  "two-transfer-encodings": "more than one transfer-encoding",
  "transfer-encoding-in-http10": "a transfer-encoding in HTTP/1.0",
  "both-lengths": "both a content-length and a transfer-encoding",
  "head-too-large": "a head that is larger than is taken here",
  "line-too-long": "a line that is longer than is taken here",
  "chunk-size": "a chunk size that is none",
  "chunk-size-too-large": "a chunk size of more than 12 digits",
  "chunk-extension": "a chunk extension that is none",
  "chunk-extensions-too-long": "chunk extensions that are longer than is taken here",
  "chunk-end": "a chunk that is not as long as its size says",
  trailer: "a trailer line that is none",
  "trailers-too-large": "trailers that are larger than is taken here",
};

/** A fault in words, to follow "the message has". */
export function describeFault(fault: HeadFault | ChunkFault): string {
  return words[fault];
}
