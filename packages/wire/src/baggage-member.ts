import { endOfListMember, skipOptionalSpace, trimOptionalSpace } from "./baggage.ts";
import { isOptionalSpace } from "./characters.ts";
import { isSameFieldValue } from "./field-value.ts";

const comma = 0x2c;
const equals = 0x3d;

/** One list-member of a header that {@link checkBaggage} accepted. Nothing in it is decoded. */
export interface BaggageMember {
  readonly key: string;
  readonly value: string;
  /** The member as it stands, properties included, without white space around it. */
  readonly raw: string;
}

/** The members in their order, duplicates included. The text must have passed `checkBaggage` or `repairBaggage`. */
export function* readBaggage(text: string): Generator<BaggageMember, void, undefined> {
  for (let start = 0; start < text.length; ) {
    const end = endOfListMember(text, start);
    const raw = trimOptionalSpace(text, start, end);
    if (raw !== "") yield readMember(raw);
    start = end + 1;
  }
}

function readMember(raw: string): BaggageMember {
  const separator = raw.indexOf("=");
  return { key: trimOptionalSpace(raw, 0, separator), value: readValue(raw, separator + 1), raw };
}

/** What stands before the first property, in text that ends with its member. */
function readValue(text: string, from: number): string {
  const semicolon = text.indexOf(";", from);
  return trimOptionalSpace(text, from, semicolon < 0 ? text.length : semicolon);
}

/**
 * The encoded value of one key, found without reading the other members. Where a key stands twice the last one
 * counts, as in every OpenTelemetry SDK, so that a hop through one does not change the meaning.
 */
export function findBaggageValue(text: string, key: string): string | undefined {
  if (key === "") return undefined;
  let at = text.lastIndexOf(key);
  while (at >= 0) {
    const after = skipOptionalSpace(text, at + key.length);
    if (text.charCodeAt(after) === equals && isMemberStart(text, at)) {
      return readValue(text.slice(after + 1, endOfListMember(text, after)), 0);
    }
    if (at === 0) return undefined;
    at = text.lastIndexOf(key, at - 1);
  }
  return undefined;
}

function isMemberStart(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isOptionalSpace(text.charCodeAt(before))) before--;
  return before < 0 || text.charCodeAt(before) === comma;
}

/**
 * A header with some members changed. A changed member stays in its place and loses its properties, which spoke of
 * the old value; a new one goes to the end; one that already has the value, and every other, keeps its bytes.
 * Returns the very same text when nothing changes.
 *
 * @param changes encoded key → encoded value; undefined removes the member.
 * @param firstKey a changed key that goes to the front of the header, where no limit cuts it off.
 */
export function editBaggage(
  text: string,
  changes: ReadonlyMap<string, string | undefined>,
  firstKey?: string,
): string {
  return holdsAny(text, changes)
    ? replaceMembers(text, changes, firstKey)
    : addMembers(text, changes, firstKey);
}

function holdsAny(text: string, changes: ReadonlyMap<string, string | undefined>): boolean {
  for (const key of changes.keys()) {
    if (findBaggageValue(text, key) !== undefined) return true;
  }
  return false;
}

/** The most frequent change, fields that were not there: the header as it stands, and more. */
function addMembers(
  text: string,
  changes: ReadonlyMap<string, string | undefined>,
  firstKey: string | undefined,
): string {
  let edited = text;
  for (const [key, wanted] of changes) {
    if (wanted === undefined) continue;
    const member = `${key}=${wanted}`;
    if (edited === "") edited = member;
    else edited = key === firstKey ? `${member},${edited}` : `${edited},${member}`;
  }
  return edited;
}

function replaceMembers(
  text: string,
  changes: ReadonlyMap<string, string | undefined>,
  firstKey: string | undefined,
): string {
  const pending = new Map(changes);
  const head: string[] = [];
  const rest: string[] = [];
  let isChanged = false;
  for (const { key, value, raw } of readBaggage(text)) {
    if (!changes.has(key)) {
      rest.push(raw);
      continue;
    }
    const wanted = pending.get(key);
    pending.delete(key);
    const isKept = wanted !== undefined && isSameFieldValue(value, wanted);
    const isInPlace = key !== firstKey || rest.length === 0;
    if (!isKept || !isInPlace) isChanged = true;
    if (wanted !== undefined) (key === firstKey ? head : rest).push(isKept ? raw : `${key}=${wanted}`);
  }
  for (const [key, wanted] of pending) {
    if (wanted === undefined) continue;
    isChanged = true;
    (key === firstKey ? head : rest).push(`${key}=${wanted}`);
  }
  return isChanged ? [...head, ...rest].join(",") : text;
}
