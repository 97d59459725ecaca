import { strictObject } from "@clew/control/shapes";
import * as v from "valibot";

export const hostPort: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, "is not host:port, such as 127.0.0.1:8000"),
);

const wholeMs = "is not a whole number of milliseconds";

/** A limit of time. None at all is not 0, which elsewhere means "at once", but no setting. */
export const limitMs: v.GenericSchema<number> = v.pipe(
  v.number(wholeMs),
  v.safeInteger(wholeMs),
  v.metadata({ type: "integer" }),
  v.gtValue(0, "is not a limit: it has to be 1 ms at least; leave it out for none"),
);

export const name: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "is not a name of small letters, digits and inner hyphens",
  ),
);

/** A section of the file. A setting that it does not have is a typing error. */
export function section<const E extends v.ObjectEntries>(entries: E): ReturnType<typeof strictObject<E>> {
  return strictObject(entries, "setting");
}

/** One that must be there, with its line in docs/reference/configuration.md. */
export function setting<T>(schema: v.GenericSchema<T>, what: string): v.GenericSchema<T> {
  return v.pipe(schema, v.description(what));
}

/** As {@link setting}, but it may be left out. */
export function optionalSetting<T>(
  schema: v.GenericSchema<T>,
  what: string,
): v.OptionalSchema<v.GenericSchema<T>, undefined> {
  return v.optional(setting(schema, what));
}
