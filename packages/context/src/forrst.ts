import { encodeFieldName, encodeFieldValue, findBaggageValue, type JsonValue } from "@clew/wire";
import { type Context, withEncodedFields } from "./context.ts";
import { type FaultHook, publishFault } from "./faults.ts";
import { ownFieldPrefix } from "./field-names.ts";

/**
 * Merges the `context` member of a Forrst envelope into the context of its headers: by name, and the body wins, but
 * for Clew's own fields, which come from the header alone. A field that says the same in both keeps the header's
 * bytes, digits included. Anything but an object changes nothing. Never throws.
 *
 * Whoever does not trust the body does not call this. The size of the body is its reader's to limit.
 */
export function contextFromForrst(
  member: unknown,
  fromHeaders: Context,
  onFault: FaultHook = publishFault,
): Context {
  if (member === undefined) return fromHeaders;
  if (typeof member !== "object" || member === null || Array.isArray(member)) {
    onFault("malformed", 1, "context of the envelope");
    return fromHeaders;
  }
  let { caller } = fromHeaders;
  let changes: Map<string, string> | undefined;
  for (const name of Object.keys(member)) {
    const value = (member as Record<string, unknown>)[name];
    if (name === "caller") {
      if (typeof value === "string" && value !== "") caller = value;
      else onFault("malformed", 1, "caller of the envelope");
    } else if (!name.startsWith(ownFieldPrefix)) {
      const encoded = name === "" ? undefined : encodeUntrusted(value);
      if (encoded === undefined) {
        onFault("malformed", 1, "fields of the envelope");
        continue;
      }
      const key = encodeFieldName(name);
      // Nearly always the headers said the same already.
      if (findBaggageValue(fromHeaders.baggage, key) === encoded) continue;
      changes ??= new Map();
      changes.set(key, encoded);
    }
  }
  if (changes === undefined && caller === fromHeaders.caller) return fromHeaders;
  return withEncodedFields(fromHeaders, changes ?? noChanges, caller);
}

const noChanges: ReadonlyMap<string, string> = new Map();

function encodeUntrusted(value: unknown): string | undefined {
  try {
    return encodeFieldValue(value as JsonValue);
  } catch {
    // Not JSON, or nested beyond the stack: left out alone, and reported by the caller.
    return undefined;
  }
}

/**
 * The `context` member of an outgoing Forrst envelope: `caller` and the custom fields as they are. Clew's own fields
 * and a baggage member that happens to be named `caller` stay in the headers.
 */
export function contextToForrst(context: Context, service: string): Record<string, JsonValue> {
  const fields: [string, JsonValue][] = [["caller", service]];
  for (const field of context.entries()) {
    if (field[0] !== "caller" && !field[0].startsWith(ownFieldPrefix)) fields.push(field);
  }
  // fromEntries defines own properties, so a field named __proto__ is a field.
  return Object.fromEntries(fields);
}
