import { type Context, emptyContext, extractContext, type HeaderReader, type JsonValue } from "@clew/context";
import type { ForrstRequest, JsonObject } from "./document.ts";
import { markLargeIntegers } from "./large-integers.ts";

/**
 * Integers that no number can hold reach the context as bytes of a baggage header, which keeps its digits as long as
 * nobody changes the field: the body's field and this one say the same, and then the header's bytes stay (I4).
 */
export function withExactFields(
  fromHeaders: Context,
  header: HeaderReader,
  exact: ForrstRequest["exactContext"],
): Context {
  if (exact === undefined) return fromHeaders;
  const lines: string[] = [];
  let others = fromHeaders;
  for (const [name, text] of exact) {
    if (name === "" || name === "caller" || name.startsWith("clew-")) continue;
    others = others.with({ [name]: undefined });
    lines.push(`${baggageKey(name)}=${encodeURIComponent(`json:${text}`)}`);
  }
  const baggage = [others.baggage, ...lines].filter((line) => line !== "");
  // What is wrong with the headers was reported when they were read.
  return extractContext((name) => (name === "baggage" ? baggage : header(name)), { onFault: () => {} });
}

/** The envelope's context, in which the integers of unchanged fields are marked, so that they leave as they came. */
export function markExactFields(fields: Record<string, JsonValue>, { baggage }: Context): JsonObject {
  if (!/\d{16}/.test(baggage)) return fields;
  const texts = new Map(baggage.split(",").map(readMember));
  for (const [name, value] of Object.entries(fields)) {
    // A string is no number, and `caller` is no field.
    if (typeof value === "string") continue;
    const marked = markLargeIntegers(texts.get(baggageKey(name)) ?? "");
    if (marked !== undefined) fields[name] = JSON.parse(marked) as JsonValue;
  }
  return fields;
}

function baggageKey(name: string): string {
  const { baggage } = emptyContext.with({ [name]: 0 });
  return baggage.slice(0, baggage.indexOf("="));
}

/** Key and JSON text of a baggage member; the text is empty for one that is no JSON. */
function readMember(member: string): [key: string, text: string] {
  const [pair = ""] = member.split(";");
  const equals = pair.indexOf("=");
  const key = pair.slice(0, equals).trim();
  const value = pair.slice(equals + 1).trim();
  // "json:" may be written with its colon encoded.
  if (!/^json(?::|%3a)/i.test(value)) return [key, ""];
  try {
    const text = decodeURIComponent(value).slice("json:".length);
    JSON.parse(text);
    return [key, text];
  } catch {
    // Malformed members are strings as they are: there are no digits to save.
    return [key, ""];
  }
}
