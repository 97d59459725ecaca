import type { HeaderReader } from "@clew/context";
import { isJsonObject, type JsonObject } from "./document.ts";

/**
 * What HTTP has in its headers, by lower-case name, as a member of the request. For transports without headers; the
 * specification lets servers ignore members that they do not know.
 */
export function withMetadata(metadata: Readonly<Record<string, string>>, document: string): string {
  return `{"metadata":${JSON.stringify(metadata)},${document.slice(1)}`;
}

export function readMetadata(document: unknown): JsonObject | undefined {
  const metadata = isJsonObject(document) ? document["metadata"] : undefined;
  return isJsonObject(metadata) ? metadata : undefined;
}

export function metadataReader(metadata: JsonObject | undefined): HeaderReader {
  return (name) => {
    const value = metadata !== undefined && Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
}

/** A header's only line, or the first of several. */
export function firstLine(header: HeaderReader, name: string): string | undefined {
  const lines = header(name);
  return typeof lines === "string" ? lines : lines?.[0];
}
