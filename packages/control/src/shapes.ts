import type { JsonValue } from "@clew/wire";
import * as v from "valibot";
import { explainIssue } from "./issue-words.ts";

// Valibot's shapes, where its own take what ours must not, or leave out what ours must keep. They tell every fault at
// once, in the words of `explainIssue`.

/** Valibot takes a list for an object whose members are all optional, and its indices for a record's names. */
const list: v.GenericSchema<unknown> = v.custom<unknown>(() => false, "is not an object");

/** The schema, judging objects another way, and no lists at all. */
function judging<S extends v.GenericSchema>(schema: S, judge: S["~run"]): S {
  const run = ((dataset, config) =>
    Array.isArray(dataset.value) ? list["~run"](dataset, config) : judge(dataset, config)) as S["~run"];
  return v.config({ ...schema, "~run": run }, { message: explainIssue });
}

/** An object whose unknown members are dropped, so that an older and a newer release understand each other. */
export function object<const E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  const schema = v.object(entries);
  return judging(schema, (dataset, config) => schema["~run"](dataset, config));
}

/** Objects that differ by one member's literal. */
export function variant<const K extends string, const O extends v.VariantOptions<K>>(
  key: K,
  options: O,
): v.VariantSchema<K, O, undefined> {
  const schema = v.variant(key, options);
  return judging(schema, (dataset, config) => schema["~run"](dataset, config));
}

/** An object whose unknown members are a fault, one for all of them, told at their last one's place: for what people write. */
export function strictObject<const E extends v.ObjectEntries>(
  entries: E,
  member: string,
): v.StrictObjectSchema<E, v.ErrorMessage<v.StrictObjectIssue>> {
  const schema = v.strictObject(entries, (issue: v.StrictObjectIssue) => {
    if (!isUnknownMember(issue)) return explainIssue(issue);
    const names = Object.keys(issue.path?.[0].input ?? {}).filter((name) => !Object.hasOwn(entries, name));
    return `has no ${member} named ${names.join(", ")}`;
  });
  return judging(schema, (dataset, config) => schema["~run"](dataset, config));
}

/** Whether it tells of members that a {@link strictObject} does not know; its path ends with the first one's name. */
export function isUnknownMember(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

/** Any names but `__proto__`, which is dropped. Valibot's own also drops `prototype`, and a preview may be called so. */
export function record<T>(
  key: v.GenericSchema<string>,
  value: v.GenericSchema<T>,
): v.GenericSchema<Record<string, T>> {
  const schema = v.record(key, value);
  return judging(schema, (dataset, config) => {
    const { value: given } = dataset;
    if (typeof given !== "object" || given === null) return schema["~run"](dataset, config);
    const names = Object.keys(given).filter((name) => name !== "__proto__");
    const entries = names.map((name) => [name, v.is(key, name) ? value : faultOfName(key, name)]);
    return v
      .object(Object.fromEntries(entries) as Record<string, v.GenericSchema<T>>)
      ["~run"](dataset, config);
  });
}

/** Tells what is wrong with the name at the place of what it names. */
const faultOfName = (key: v.GenericSchema<string>, name: string): v.GenericSchema =>
  v.pipe(
    v.unknown(),
    v.transform(() => name),
    key,
  );

/** One word, or an object: whatever is an object is judged as that one, so that all its faults are told. */
export function wordOr<const W extends string, T extends object>(
  word: W,
  shape: v.GenericSchema<T>,
  message: string,
): v.GenericSchema<W | T> {
  const schema = v.union([v.literal(word), shape], message);
  return judging(schema, (dataset, config) =>
    (typeof dataset.value === "object" && dataset.value !== null ? shape : schema)["~run"](dataset, config),
  );
}

/** Without a space, tab or line end inside, which a URL's reader may leave out and so come to another host. */
export const httpUrl: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.trim(),
  v.check(
    (url) => /^https?:\/\/\S+$/i.test(url) && URL.canParse(url),
    "is not an http:// or https:// address",
  ),
  v.metadata({ format: "uri" }),
);

/** Without infinity, which JSON can write as 1e999. */
export const number: v.GenericSchema<number> = v.pipe(v.number(), v.finite());

/** What a number can hold exactly. */
export const wholeNumber: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.safeInteger(),
  v.metadata({ type: "integer" }),
);

export const json: v.GenericSchema<JsonValue> = v.pipe(v.any(), v.guard(isJson, "is not JSON"));

function isJson(value: unknown): value is JsonValue {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "object" && value !== null) return Object.values(value).every(isJson);
  return value === null || typeof value === "string" || typeof value === "boolean";
}
