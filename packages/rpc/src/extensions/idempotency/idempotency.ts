import { createHash, randomUUID } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { isJsonObject, type JsonObject } from "../../envelope/document.ts";
import { RpcError } from "../../rpc-error.ts";
import type { Call } from "../../server/call.ts";
import { readDuration } from "../durations.ts";
import {
  type CallOutcome,
  defineExtension,
  type Extension,
  type Invocation,
  type OptionFault,
} from "../extension.ts";
import { idempotencyUrn } from "../extension-urn.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Claim, IdempotencyStore } from "./idempotency-store.ts";
import { Lease } from "./lease.ts";
import { isFinal, readOutcome, writeOutcome } from "./stored-outcome.ts";

/** Carries `{ error, key, function }` when what was done could not be noted. */
const storeChannel = channel("clew.rpc.idempotency-store");

/** What a handler knows of the key that its call came with. */
export interface IdempotencyKey {
  readonly key: string;
  /** Grows with each claim of the key: a database that keeps the highest can refuse what an earlier claim still writes. */
  readonly fence: number;
}

export interface IdempotencyOptions {
  readonly store: IdempotencyStore;
  /** How long an outcome is kept, where the request does not ask for less. Default 24 h, as the specification recommends. */
  readonly ttlMs?: number | undefined;
  /** How long a server that says nothing is believed to be working. Default 30 s: renewed three times in it, while it works. */
  readonly leaseMs?: number | undefined;
  /**
   * What becomes of a call whose server died in it. `refuse` (default): E_RPC_OUTCOME_UNKNOWN, so nothing is done twice.
   * `rerun`: the next call with the same arguments does it again, for handlers that can by `call.idempotency.fence`.
   */
  readonly afterLostServer?: "refuse" | "rerun" | undefined;
  /** What keys belong to, such as the tenant; calls of another scope never see one's outcomes. Default: one scope for all. */
  readonly scope?: ((call: Call) => string) | undefined;
}

const maxKeyLength = 256;

/** How soon a client may ask again for what is still processed. Source: Forrst specification, "Processing Error". */
const retryAfterMs = 1_000;

interface State {
  status: "processed" | "cached" | "processing" | "conflict" | undefined;
  originalRequestId: string;
  cachedAt: number | undefined;
  expiresAt: number | undefined;
}

/**
 * Does a call with a key once and answers each repetition with what came of it. Belongs last in a server's list: an
 * abort then answers while the handler's end is still noted. Source: Forrst specification, extensions/idempotency.
 */
export function createIdempotencyExtension(options: IdempotencyOptions): Extension {
  return defineExtension<State>({
    urn: idempotencyUrn,
    validate: checkOptions,
    applies: ({ kind }) => kind === "function" || "Idempotency is not applicable to streams",
    before: () => ({
      status: undefined,
      originalRequestId: "",
      cachedAt: undefined,
      expiresAt: undefined,
    }),
    around: (invocation, next, state) => new KeyedCall(options, invocation, state).perform(next),
    data({ options: { key } }, _outcome, { status, originalRequestId, cachedAt, expiresAt }) {
      if (status === undefined) return undefined;
      return {
        key: key as string,
        status,
        original_request_id: originalRequestId,
        ...(cachedAt === undefined ? undefined : { cached_at: new Date(cachedAt).toISOString() }),
        ...(expiresAt === undefined ? undefined : { expires_at: new Date(expiresAt).toISOString() }),
      };
    },
  });
}

function checkOptions({ key, ttl }: JsonObject): readonly OptionFault[] {
  const faults: OptionFault[] = [];
  if (typeof key !== "string" || key === "" || key.length > maxKeyLength)
    faults.push({ pointer: "/key", message: `\`key\` must be a string of 1 to ${maxKeyLength} characters` });
  if (ttl !== undefined && (!isJsonObject(ttl) || readDuration(ttl["value"], ttl["unit"]) === undefined))
    faults.push({ pointer: "/ttl", message: "`ttl` must be a duration with `value` and `unit`" });
  return faults;
}

class KeyedCall {
  readonly #options: IdempotencyOptions;
  readonly #invocation: Invocation;
  readonly #state: State;
  readonly #key: string;
  readonly #storeKey: string;
  readonly #owner: string = randomUUID();
  readonly #ttlMs: number;

  constructor(options: IdempotencyOptions, invocation: Invocation, state: State) {
    const { ttlMs = 86_400_000, scope } = options;
    const { key, ttl } = invocation.options as { key: string; ttl?: JsonObject };
    const asked = ttl === undefined ? undefined : readDuration(ttl["value"], ttl["unit"]);
    const { name, version } = invocation.target;
    this.#options = options;
    this.#invocation = invocation;
    this.#state = state;
    this.#key = key;
    this.#ttlMs = Math.min(asked ?? ttlMs, ttlMs);
    this.#storeKey = hash(canonicalJson([scope?.(invocation.call) ?? "", key, name, version]));
  }

  async perform(next: () => Promise<CallOutcome>): Promise<CallOutcome> {
    const claim = await this.#claim();
    const { call, request } = this.#invocation;
    this.#state.originalRequestId = claim.kind === "claimed" ? request.id : claim.requestId;
    if (claim.kind !== "claimed") return this.#repeat(claim);
    this.#state.status = "processing";
    call.idempotency = { key: this.#key, fence: claim.fence };
    const { store, leaseMs = 30_000 } = this.#options;
    const lease = new Lease(leaseMs, () => store.renew(this.#storeKey, this.#owner, leaseMs));
    try {
      return await this.#note(await next());
    } finally {
      lease.end();
    }
  }

  async #claim(): Promise<Claim> {
    const { store, leaseMs = 30_000, ttlMs = 86_400_000, afterLostServer = "refuse" } = this.#options;
    try {
      return await store.claim({
        key: this.#storeKey,
        argumentsHash: this.#argumentsHash(),
        requestId: this.#invocation.request.id,
        owner: this.#owner,
        leaseMs,
        rememberMs: Math.max(ttlMs, leaseMs),
        mayTakeOver: afterLostServer === "rerun",
      });
    } catch (cause) {
      if (cause instanceof RpcError) throw cause;
      this.#report(cause);
      // The claim may have come through all the same; nothing was done, so nobody need wait for its lease to end,
      // which it will if this fails as well.
      store.release(this.#storeKey, this.#owner).catch(() => {});
      throw new RpcError("UNAVAILABLE", "The store of idempotency keys cannot be reached", { cause });
    }
  }

  #argumentsHash(): string {
    return hash(canonicalJson(this.#invocation.request.arguments));
  }

  #repeat(claim: Exclude<Claim, { kind: "claimed" }>): CallOutcome {
    const details = { key: this.#key };
    if (claim.argumentsHash !== this.#argumentsHash()) {
      this.#state.status = "conflict";
      throw new RpcError("IDEMPOTENCY_CONFLICT", "Idempotency key already used with different arguments", {
        details: { ...details, original_arguments_hash: `sha256:${claim.argumentsHash}` },
      });
    }
    if (claim.kind === "processing") {
      this.#state.status = "processing";
      const message = "Previous request with this key is still processing";
      throw new RpcError("IDEMPOTENCY_PROCESSING", message, { details, retryAfterMs });
    }
    if (claim.kind === "lost") {
      throw new RpcError(
        "E_RPC_OUTCOME_UNKNOWN",
        "The server that processed this key ended before it said how",
        {
          details: { ...details, original_request_id: claim.requestId },
          status: 409,
          hint: "Look whether it was done; if not, call again with a new key.",
        },
      );
    }
    Object.assign(this.#state, { status: "cached", cachedAt: claim.completedAt, expiresAt: claim.expiresAt });
    return readOutcome(claim.outcome);
  }

  /**
   * The work is done by now, so its outcome is the answer also where it cannot be noted: the claim then ends as lost,
   * which refuses repetitions and never does the work again.
   */
  async #note(outcome: CallOutcome): Promise<CallOutcome> {
    const { store } = this.#options;
    try {
      if (!isFinal(outcome)) {
        this.#state.status = undefined;
        await store.release(this.#storeKey, this.#owner);
      } else if (await store.complete(this.#storeKey, this.#owner, writeOutcome(outcome), this.#ttlMs)) {
        Object.assign(this.#state, { status: "processed", expiresAt: Date.now() + this.#ttlMs });
      }
    } catch (error) {
      this.#report(error);
    }
    return outcome;
  }

  #report(error: unknown): void {
    if (storeChannel.hasSubscribers)
      storeChannel.publish({ error, key: this.#key, function: this.#invocation.target.name });
  }
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
