import type { ForrstRequest } from "../envelope/document.ts";
import type { CallOutcome } from "../extensions/extension.ts";
import type { ExtensionRun, Work } from "../extensions/extension-run.ts";
import { RpcError } from "../rpc-error.ts";
import type { FailedCall } from "./call.ts";
import type { Running } from "./call-service.ts";
import { checkResult } from "./check-result.ts";
import type { Definition } from "./function-table.ts";
import type { ServerCall } from "./server-call.ts";

/** A call whose function was found and whose extensions take part. */
export class DispatchedCall implements Work {
  readonly running: Running;
  readonly request: ForrstRequest;
  readonly definition: Definition;
  readonly call: ServerCall;
  readonly run: ExtensionRun;
  /** Once they are validated. */
  args: unknown = undefined;
  readonly #toRpcError: (error: unknown, call: FailedCall) => RpcError;

  constructor(
    toRpcError: (error: unknown, call: FailedCall) => RpcError,
    running: Running,
    request: ForrstRequest,
    definition: Definition,
    call: ServerCall,
    run: ExtensionRun,
  ) {
    this.#toRpcError = toRpcError;
    this.running = running;
    this.request = request;
    this.definition = definition;
    this.call = call;
    this.run = run;
  }

  /** What the handler returns. */
  perform(): unknown {
    return this.definition.handler(this.args as never, this.call);
  }

  /** Throws what a hook of the caller's throws. */
  failed(error: unknown): CallOutcome {
    return { ok: false, error: this.#toRpcError(error, this.call) };
  }

  /** The same, and what the handler returns has to keep to the contract. */
  checked(): Work {
    return {
      perform: async () => {
        const result = await this.perform();
        await checkResult(this.definition as Definition & { kind: "function" }, result);
        return result;
      },
      failed: (error) => this.failed(error),
    };
  }
}

export function unexpected(): RpcError {
  return new RpcError("INTERNAL_ERROR", "The server failed unexpectedly");
}
