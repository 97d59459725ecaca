import type { ForrstError, ForrstRequest, JsonObject } from "../envelope/document.ts";
import { fromForrstErrors, RpcError } from "../rpc-error.ts";
import type { Extension, FunctionFacts } from "./extension.ts";
import { canonicalUrn } from "./extension-urn.ts";

/** An extension that takes part in one call. */
export interface ActiveExtension {
  readonly extension: Extension;
  /** As the request wrote it; the extension's own where it did not. */
  readonly urn: string;
  readonly options: JsonObject;
  readonly isAsked: boolean;
}

const noOptions: JsonObject = {};

/** The extensions of one server, in the order in which they run. */
export class ExtensionRegistry {
  readonly extensions: readonly Extension[];
  readonly #byUrn = new Map<string, Extension>();

  /** Throws E_RPC_OPTIONS for a URN that cannot name an extension, or that is there twice. */
  constructor(extensions: readonly Extension[]) {
    this.extensions = extensions;
    for (const extension of extensions) {
      const urn = canonicalUrn(extension.urn);
      if (!/^urn:[a-z0-9-]+:forrst:ext:[a-z0-9-]+(?::[a-z0-9-]+)*$/.test(urn)) {
        throw new RpcError("E_RPC_OPTIONS", `"${extension.urn}" does not name an extension`, {
          hint: "Use urn:<vendor>:forrst:ext:<name>, such as urn:acme:forrst:ext:audit.",
        });
      }
      if (this.#byUrn.has(urn)) {
        throw new RpcError("E_RPC_OPTIONS", `the extension ${extension.urn} is given twice`);
      }
      this.#byUrn.set(urn, extension);
    }
  }

  /**
   * Which extensions take part in a call. Unknown ones are ignored, unless the request says `required`. Throws
   * EXTENSION_NOT_SUPPORTED, INVALID_REQUEST (every fault of every option) or EXTENSION_NOT_APPLICABLE.
   * Source: Forrst specification, extensions/index "Server Handling".
   */
  negotiate(request: ForrstRequest, target: FunctionFacts, maxErrors: number): readonly ActiveExtension[] {
    const asked = this.#findAsked(request, maxErrors);
    const active: ActiveExtension[] = [];
    for (const extension of this.extensions) {
      const found = asked.get(extension);
      if (found !== undefined) active.push(checkApplies(found, target));
      else if (extension.isAlwaysOn === true) {
        active.push({ extension, urn: extension.urn, options: noOptions, isAsked: false });
      }
    }
    return active;
  }

  #findAsked(request: ForrstRequest, maxErrors: number): Map<Extension, Asked> {
    const asked = new Map<Extension, Asked>();
    const faults: ForrstError[] = [];
    const unsupported: { urn: string; index: number }[] = [];
    for (const [index, { urn, options, required }] of request.extensions.entries()) {
      const extension = this.#byUrn.get(canonicalUrn(urn));
      if (extension === undefined) {
        if (required === true) unsupported.push({ urn, index });
      } else if (asked.has(extension)) {
        faults.push(invalid(`/extensions/${index}/urn`, `The extension ${urn} is given twice`));
      } else {
        asked.set(extension, { extension, urn, options, isAsked: true, index });
        for (const fault of extension.validate?.(options) ?? [])
          faults.push(invalid(`/extensions/${index}/options${fault.pointer}`, fault.message));
      }
    }
    if (unsupported.length > 0) throw this.#notSupported(unsupported);
    const [first, ...others] = faults.slice(0, maxErrors);
    if (first !== undefined) throw fromForrstErrors([first, ...others]);
    return asked;
  }

  #notSupported(unsupported: readonly { urn: string; index: number }[]): RpcError {
    const urns = unsupported.map(({ urn }) => urn);
    return new RpcError("EXTENSION_NOT_SUPPORTED", `Extension not supported: ${urns.join(", ")}`, {
      source: { pointer: `/extensions/${unsupported[0]?.index}` },
      details: { unsupported: urns, supported: this.extensions.map(({ urn }) => urn) },
    });
  }
}

type Asked = ActiveExtension & { readonly index: number };

function checkApplies(asked: Asked, target: FunctionFacts): ActiveExtension {
  const applies = isAccepted(asked.extension, target)
    ? (asked.extension.applies?.(target, asked.options) ?? true)
    : `Function ${target.name} does not accept the extension`;
  if (applies === true) return asked;
  throw new RpcError("EXTENSION_NOT_APPLICABLE", applies, {
    source: { pointer: `/extensions/${asked.index}` },
    details: { function: target.name, extension: asked.urn },
  });
}

function isAccepted({ urn }: Extension, { extensions }: FunctionFacts): boolean {
  if (extensions === undefined) return true;
  const has = (urns: readonly string[]): boolean =>
    urns.some((entry) => canonicalUrn(entry) === canonicalUrn(urn));
  return extensions.supported === undefined ? !has(extensions.excluded) : has(extensions.supported);
}

function invalid(pointer: string, message: string): ForrstError {
  return { code: "INVALID_REQUEST", message, source: { pointer } };
}
