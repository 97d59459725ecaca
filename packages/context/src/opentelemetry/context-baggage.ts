import {
  checkBaggage,
  decodeBaggageText,
  decodeFieldName,
  encodeBaggageText,
  encodeFieldName,
  readBaggage,
} from "@clew/wire";
import { type Context, withEncodedFields } from "../context.ts";
import type { OtelBaggage, OtelBaggageEntry } from "./api-types.ts";

/**
 * A context as OpenTelemetry code sees one: its custom fields as an immutable `Baggage`. An entry's value is the text
 * on the wire, as in a service that knows nothing of us (`json:…` for what is no string). Whatever such code does with
 * it, the members that it does not touch keep their bytes (I4).
 */
export class ContextBaggage implements OtelBaggage {
  /** The context that it shows; what tells a baggage of ours, also one of another copy of this package. */
  readonly clewContext: Context;

  constructor(context: Context) {
    this.clewContext = context;
  }

  getEntry(name: string): OtelBaggageEntry | undefined {
    return entriesOf(this.clewContext).get(name);
  }

  getAllEntries(): [string, OtelBaggageEntry][] {
    return [...entriesOf(this.clewContext)];
  }

  setEntry(name: string, entry: OtelBaggageEntry): ContextBaggage {
    return new ContextBaggage(withEntries(this.clewContext, [[name, entry]]));
  }

  removeEntry(name: string): ContextBaggage {
    return this.removeEntries(name);
  }

  removeEntries(...names: string[]): ContextBaggage {
    return new ContextBaggage(
      withEntries(
        this.clewContext,
        names.map((name) => [name, undefined]),
      ),
    );
  }

  clear(): ContextBaggage {
    return new ContextBaggage(withBaggage(this.clewContext, undefined));
  }
}

/**
 * A context whose custom fields are those of a baggage that OpenTelemetry code has set; undefined: it has taken it
 * away. What the context has already keeps its bytes.
 */
export function withBaggage(context: Context, baggage: OtelBaggage | undefined): Context {
  const shown = (baggage as Partial<ContextBaggage> | undefined)?.clewContext;
  if (shown !== undefined) return shown;
  const changes = new Map<string, string | undefined>();
  for (const { key } of readBaggage(context.baggage)) changes.set(key, undefined);
  for (const [name, entry] of baggage?.getAllEntries() ?? []) addChange(changes, name, entry);
  return withEncodedFields(context, changes);
}

/** A context with entries of a baggage set in it. */
export function withEntries(
  context: Context,
  entries: Iterable<readonly [string, OtelBaggageEntry | undefined]>,
): Context {
  const changes = new Map<string, string | undefined>();
  for (const [name, entry] of entries) addChange(changes, name, entry);
  return withEncodedFields(context, changes);
}

function addChange(
  changes: Map<string, string | undefined>,
  name: string,
  entry: OtelBaggageEntry | undefined,
): void {
  const key = encodeFieldName(name);
  if (key !== "") changes.set(key, entry === undefined ? undefined : memberValue(key, entry));
}

function memberValue(key: string, entry: OtelBaggageEntry): string {
  // Not every caller is compiled against the API's types.
  const value = encodeBaggageText(String(entry.value));
  const metadata = entry.metadata?.toString() ?? "";
  const isFit = metadata !== "" && checkBaggage(`${key}=${value};${metadata}`) === 1;
  return isFit ? `${value};${metadata}` : value;
}

/** Where a key stands twice the last one counts, as everywhere. */
function entriesOf(context: Context): Map<string, OtelBaggageEntry> {
  const entries = new Map<string, OtelBaggageEntry>();
  for (const { key, value, raw } of readBaggage(context.baggage)) {
    const semicolon = raw.indexOf(";");
    const text = decodeBaggageText(value);
    const entry = semicolon < 0 ? { value: text } : { value: text, metadata: metadataOf(raw, semicolon) };
    entries.set(decodeFieldName(key), entry);
  }
  return entries;
}

function metadataOf(raw: string, semicolon: number): { toString(): string } {
  const text = raw.slice(semicolon + 1);
  return { toString: () => text };
}
