import type { HeaderReader, JsonValue } from "@clew/context";
import type { ForrstRequest, JsonObject } from "../envelope/document.ts";
import type { RpcError } from "../rpc-error.ts";
import type { Call } from "../server/call.ts";

/** What is wrong with an extension's options. */
export interface OptionFault {
  /** JSON Pointer from the options' root, such as `/value`; empty for the options themselves. */
  readonly pointer: string;
  readonly message: string;
}

/** As much of a function as an extension may decide by. */
export interface FunctionFacts {
  readonly name: string;
  /** The version that was resolved. */
  readonly version: string;
  readonly kind: "function" | "stream";
  readonly extensions?: FunctionExtensions | undefined;
}

/**
 * Extensions by their URNs; without either, a function takes all of its server's.
 * Source: Forrst specification, system-functions "Extension Support".
 */
export type FunctionExtensions =
  | { readonly supported: readonly string[]; readonly excluded?: undefined }
  | { readonly excluded: readonly string[]; readonly supported?: undefined };

/** How a call ended. A stream that completed has the result `{ streamed: true }`. */
export type CallOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError };

/** What of a call its extensions fill in. */
type OwnedByExtensions = "trace" | "deadline" | "idempotency" | "lastEventId";

/** One call, as an extension sees it. */
export interface Invocation {
  readonly request: ForrstRequest;
  readonly target: FunctionFacts;
  /** The extension's options; empty where the request does not name it. */
  readonly options: JsonObject;
  /** Whether the request names the extension. Only then does the answer, but for {@link Extension.answersUnasked}. */
  readonly isAsked: boolean;
  /** What the handler will get; an extension fills in what is its own. */
  readonly call: Omit<Call, OwnedByExtensions> & { -readonly [Member in OwnedByExtensions]: Call[Member] };
  /** Metadata beside the document, such as HTTP's headers. */
  readonly header: HeaderReader;
  /** When the request began to come, by `performance.now()`. */
  readonly receivedAt: number;
  /** Aborts the handler's signal and answers with this, whether or not the handler heeds the signal. */
  abort(reason: RpcError): void;
}

/** A request that was refused before its function was found, or before all its extensions were understood. */
interface Refusal {
  readonly options: JsonObject;
  /** As {@link Invocation.isAsked}. */
  readonly isAsked: boolean;
  readonly error: RpcError;
  /** As {@link Invocation.receivedAt}. */
  readonly receivedAt: number;
}

/**
 * An optional capability, one object each. A server runs `before` in the order of its list, then `around` in the same
 * order from the outside in, then every `after`, then every `data`, both in that order again. `State` is what `before`
 * returned.
 */
export interface Extension<State = unknown> {
  /** `urn:<vendor>:forrst:ext:<name>`; those of the protocol are known without vendor as well. */
  readonly urn: string;
  /** Runs for calls that do not name it too: for all, or those of functions that answer with events. Default false. */
  readonly isAlwaysOn?: boolean | "streams" | undefined;
  /** Asked for `data` by calls that do not name it too; only with `isAlwaysOn`. Default false. */
  readonly answersUnasked?: boolean | undefined;
  /** What capabilities say of it beside its URN. */
  readonly capabilities?: JsonObject | undefined;
  /** Functions that come with it, under its own URN. */
  readonly functions?: readonly ExtensionFunction[] | undefined;
  /** Everything that is wrong with the options; each becomes an `INVALID_REQUEST`. */
  validate?(options: JsonObject): readonly OptionFault[];
  /** True, or why it cannot be used on this function; that becomes `EXTENSION_NOT_APPLICABLE`. */
  applies?(target: FunctionFacts, options: JsonObject): true | string;
  /** Before the arguments are validated. What it throws is the answer. */
  before?(invocation: Invocation): State | Promise<State>;
  /**
   * Around the handler, for functions that answer once; runs in the call's context. An abort answers at once while
   * this goes on, so it may still note how the handler ended.
   */
  around?(invocation: Invocation, next: () => Promise<CallOutcome>, state: State): Promise<CallOutcome>;
  /** Once for every `before` that came through, however the call ended. Must not throw. */
  after?(invocation: Invocation, outcome: CallOutcome, state: State): void;
  /** What the answer says of the extension, if it was asked for. Must not throw. */
  data?(invocation: Invocation, outcome: CallOutcome, state: State): JsonObject | undefined;
  /** The same where nothing was begun, for those that the request named rightly. Must not throw. */
  refusedData?(refusal: Refusal): JsonObject | undefined;
}

export interface ExtensionFunction {
  /** `<urn of the extension>:fn:<name>`. */
  readonly name: string;
  readonly version: string;
  readonly handler: (args: JsonObject, call: Call) => JsonValue | Promise<JsonValue>;
}

/** Gives an extension's `State` its type. */
export function defineExtension<State>(extension: Extension<State>): Extension {
  return extension as Extension;
}
