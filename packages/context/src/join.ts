import {
  type BaggageMember,
  decodeFieldName,
  decodeFieldValue,
  encodeFieldValue,
  isSameFieldValue,
  type JsonValue,
  readBaggage,
} from "@clew/wire";
import { type Context, createContext, emptyContext } from "./context.ts";
import { type FaultHook, publishFault } from "./faults.ts";
import { conflictsField } from "./field-names.ts";
import { declaredField } from "./fields/declarations.ts";

/**
 * How a field of several contexts becomes one.
 *
 * - `single`: kept where all have the same value. Where one differs or lacks it, it is left out and marked: a tenant
 *   is never picked silently.
 * - `union`: a list of all values, each once; what is no list counts as a list of one. Where all agree it stays as it is.
 * - `max`, `min`: of those that have it; numbers by size, strings by UTF-16 code units. Anything else, or a mixture,
 *   is left out and marked.
 * - `first`: of the first that has it.
 */
export type JoinPolicy = "single" | "union" | "max" | "min" | "first";

/** Names in the mark; one more, `*`, says that there were others. A batch must not fill the header with its conflicts. */
const maxMarkedNames = 16;

/**
 * One context for work that serves several requests at once, such as a batch of messages. The fields are joined by
 * name; the trace and the caller are kept only where all agree. Fields that were left out because the contexts did not
 * agree are named in the field `clew-conflicts`, and reported. Never throws.
 *
 * @param policies by field name. Default: as declared by `defineFields`, else `single`.
 */
export function joinContexts(
  contexts: readonly Context[],
  policies: Readonly<Record<string, JoinPolicy>> = {},
  onFault: FaultHook = publishFault,
): Context {
  const [first, ...others] = contexts;
  if (first === undefined) return emptyContext;
  const isSame = (read: (context: Context) => string | undefined): boolean =>
    others.every((other) => read(other) === read(first));
  const traceparent = isSame((context) => context.traceparent) ? first.traceparent : undefined;
  return createContext({
    baggage: isSame((context) => context.baggage) ? first.baggage : joinBaggage(contexts, policies, onFault),
    traceparent,
    tracestate:
      traceparent !== undefined && isSame((context) => context.tracestate) ? first.tracestate : undefined,
    caller: isSame((context) => context.caller) ? first.caller : undefined,
  });
}

function joinBaggage(
  contexts: readonly Context[],
  policies: Readonly<Record<string, JoinPolicy>>,
  onFault: FaultHook,
): string {
  const joined: string[] = [];
  const earlier: string[] = [];
  const conflicts: string[] = [];
  for (const [key, members] of membersByKey(contexts)) {
    const name = decodeFieldName(key);
    const policy = name === conflictsField ? "union" : policyOf(name, policies);
    const member = joinMembers(members, members.length === contexts.length, policy);
    if (member === undefined) conflicts.push(name);
    else if (name === conflictsField) earlier.push(...namesIn(member));
    else joined.push(typeof member === "string" ? `${key}=${member}` : member.raw);
  }
  if (conflicts.length > 0) onFault("conflict", conflicts.length, markOf(conflicts).join(", "));
  const marked = markOf([...earlier, ...conflicts]);
  if (marked.length > 0) joined.push(`${conflictsField}=${encodeFieldValue(marked)}`);
  return joined.join(",");
}

/** For each key, in the order of its first appearance, the member of each context that has it. */
function membersByKey(contexts: readonly Context[]): Map<string, BaggageMember[]> {
  const byKey = new Map<string, BaggageMember[]>();
  for (const context of contexts) {
    const own = new Map<string, BaggageMember>();
    for (const member of readBaggage(context.baggage)) own.set(member.key, member);
    for (const [key, member] of own) {
      const members = byKey.get(key);
      if (members === undefined) byKey.set(key, [member]);
      else members.push(member);
    }
  }
  return byKey;
}

function policyOf(name: string, policies: Readonly<Record<string, JoinPolicy>>): JoinPolicy {
  return (Object.hasOwn(policies, name) ? policies[name] : declaredField(name)?.join) ?? "single";
}

/** A member to keep with its bytes, a new encoded value, or undefined for a conflict. */
function joinMembers(
  members: readonly BaggageMember[],
  isInAll: boolean,
  policy: JoinPolicy,
): BaggageMember | string | undefined {
  const [first, ...others] = members;
  if (first === undefined || policy === "first") return first;
  const isAgreed = others.every((other) => isSameFieldValue(first.value, other.value));
  if (isAgreed && (isInAll || policy !== "single")) return first;
  switch (policy) {
    case "single":
      return undefined;
    case "union":
      return uniteValues(members);
    case "max":
      return extremeOf(members, (left, right) => left > right);
    case "min":
      return extremeOf(members, (left, right) => left < right);
  }
}

/** Values are the same where their JSON text is. */
function uniteValues(members: readonly BaggageMember[]): string | undefined {
  const values = members.flatMap(({ value }): readonly JsonValue[] => listOf(decodeFieldValue(value)));
  try {
    return encodeFieldValue([...new Map(values.map((value) => [encodeFieldValue(value), value])).values()]);
  } catch {
    // Nested beyond what the stack can write: nothing that could be united, so it counts as a conflict.
    return undefined;
  }
}

function listOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
}

function extremeOf(
  members: readonly BaggageMember[],
  isBeyond: (left: number | string, right: number | string) => boolean,
): BaggageMember | undefined {
  let best: BaggageMember | undefined;
  let bestValue: JsonValue | undefined;
  for (const member of members) {
    const value = decodeFieldValue(member.value);
    if (typeof value !== "number" && typeof value !== "string") return undefined;
    if (bestValue !== undefined && typeof value !== typeof bestValue) return undefined;
    if (bestValue !== undefined && !isBeyond(value, bestValue as number | string)) continue;
    best = member;
    bestValue = value;
  }
  return best;
}

/** The names in marks that came in, in the form in which {@link joinMembers} leaves them. */
function namesIn(marks: BaggageMember | string): string[] {
  const value = decodeFieldValue(typeof marks === "string" ? marks : marks.value);
  return listOf(value).filter((name) => typeof name === "string");
}

function markOf(conflicts: readonly string[]): string[] {
  const names = [...new Set(conflicts)].filter((name) => name !== "*");
  const isCut = names.length > maxMarkedNames || conflicts.includes("*");
  return isCut ? [...names.slice(0, maxMarkedNames), "*"] : names;
}
