/** A flag with a value that may be left out. */
interface OptionalFlag<T> {
  readonly kind: "parsed";
  readonly parse: (input: string) => T;
  readonly optional: true;
  readonly brief: string;
  readonly placeholder: string;
}

/** A flag without a value: off unless it is given. */
interface Toggle {
  readonly kind: "boolean";
  readonly default: false;
  readonly withNegated: false;
  readonly brief: string;
}

export function optional<T>(
  brief: string,
  placeholder: string,
  parse: (input: string) => T,
): OptionalFlag<T> {
  return { kind: "parsed", parse, optional: true, brief, placeholder };
}

export function text(brief: string, placeholder: string): OptionalFlag<string> {
  return optional(brief, placeholder, String);
}

export function toggle(brief: string): Toggle {
  return { kind: "boolean", default: false, withNegated: false, brief };
}

/** Flags that mean the same wherever they occur. */
export const json: Toggle = toggle("print JSON, for programs");
export const manager: OptionalFlag<string> = text("address of the manager (default: found by itself)", "URL");
export const owner: OptionalFlag<string> = text(
  "whose it is (default: CLEW_OWNER, else your user name)",
  "NAME",
);
