import { type Context, emptyContext, type JsonValue } from "@clew/context";
import { createClient, type ForrstClient } from "@clew/rpc";
import { CliError } from "../../errors.ts";

/** A client of a service that somebody named, so its context goes there wherever that is. */
export async function withService<T>(url: string, use: (client: ForrstClient) => Promise<T>): Promise<T> {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const destinations = { internal: host === "" ? [] : [host.replace(/^\[(.*)\]$/, "$1")] };
  const client = createClient({
    url,
    service: "clew",
    destinations,
    timeoutMs: 60_000,
    largeIntegers: "text",
  });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** `name=value` pairs; a value that is JSON is that value, any other is text. Throws E_USAGE for one without `=`. */
export function parsePairs(pairs: readonly string[], flag: string): Record<string, JsonValue> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) {
        throw new CliError("E_USAGE", `not name=value: ${pair}`, { hint: `Such as --${flag} id=42` });
      }
      return [pair.slice(0, equals), parseValue(pair.slice(equals + 1))];
    }),
  );
}

export function contextOf(pairs: readonly string[]): Context {
  return emptyContext.with(parsePairs(pairs, "context"));
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Not JSON: then it is what it says.
    return text;
  }
}
