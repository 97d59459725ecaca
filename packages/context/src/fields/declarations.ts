import { ContextError } from "../errors.ts";
import type { JoinPolicy } from "../join.ts";

/** What is known about a field beside its type. */
export interface FieldDeclaration {
  /** Kept longer than others when there is too much to send. */
  readonly important: boolean;
  /** Personal: written as `[redacted]` wherever it is not sent to a service. */
  readonly pii: boolean;
  /** Part of log lines and span attributes. */
  readonly log: boolean;
  /** How contexts that differ in it are joined; undefined counts as `single`. */
  readonly join: JoinPolicy | undefined;
}

const registryKey: unique symbol = Symbol.for("clew.context.fields.1") as never;

/** By name; shared by every copy of this package, since what is declared in one is sent by another. */
function declarations(): Map<string, FieldDeclaration> {
  const holder = globalThis as { [registryKey]?: Map<string, FieldDeclaration> };
  let registry = holder[registryKey];
  if (registry === undefined) {
    registry = new Map();
    Object.defineProperty(holder, registryKey, { value: registry });
  }
  return registry;
}

/**
 * Declares a field for the whole process. A second declaration adds to the first: what one part of a program calls
 * important or personal is so for all.
 *
 * Throws `ContextError` `E_CONTEXT_FIELD_TWICE` where two declarations join differently.
 */
export function declareField(name: string, declaration: FieldDeclaration): void {
  const before = declarations().get(name);
  const join = declaration.join ?? before?.join;
  if (before?.join !== undefined && before.join !== join) {
    throw new ContextError(
      "E_CONTEXT_FIELD_TWICE",
      `The field "${name}" is declared twice, to be joined as "${before.join}" and as "${join}".`,
      { hint: "Declare it in one place, or give both declarations the same policy." },
    );
  }
  declarations().set(name, {
    important: declaration.important || before?.important === true,
    pii: declaration.pii || before?.pii === true,
    log: declaration.log || before?.log === true,
    join,
  });
}

/** The declaration of one field, if any. */
export function declaredField(name: string): FieldDeclaration | undefined {
  return declarations().get(name);
}

/** Names of the fields declared important, first declared first. */
export function importantFields(): string[] {
  return namesOf((declaration) => declaration.important);
}

/** Names of the fields that log lines and spans show, first declared first. */
export function loggedFields(): string[] {
  return namesOf((declaration) => declaration.log);
}

function namesOf(isMeant: (declaration: FieldDeclaration) => boolean): string[] {
  return [...declarations()].filter(([, declaration]) => isMeant(declaration)).map(([name]) => name);
}
