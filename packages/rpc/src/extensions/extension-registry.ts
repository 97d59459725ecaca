import type {
  ForrstError,
  ForrstRequest,
  JsonObject,
  RequestExtension,
  ResponseExtension,
} from "../envelope/document.ts";
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
  /** Those that always run, for requests that name none, by the kind of function. */
  readonly #unasked: Readonly<Record<FunctionFacts["kind"], readonly ActiveExtension[]>>;

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
    const unasked = extensions.map((extension) => {
      return { extension, urn: extension.urn, options: noOptions, isAsked: false };
    });
    this.#unasked = {
      function: unasked.filter(({ extension: { isAlwaysOn } }) => isAlwaysOn === true),
      stream: unasked.filter(({ extension: { isAlwaysOn = false } }) => isAlwaysOn !== false),
    };
  }

  /**
   * Which extensions take part in a call. Unknown ones are ignored, unless the request says `required`. Throws
   * EXTENSION_NOT_SUPPORTED, INVALID_REQUEST (every fault of every option) or EXTENSION_NOT_APPLICABLE.
   * Source: Forrst specification, extensions/index "Server Handling".
   */
  negotiate(request: ForrstRequest, target: FunctionFacts, maxErrors: number): readonly ActiveExtension[] {
    const unasked = this.#unasked[target.kind];
    if (request.extensions.length === 0) return unasked;
    const asked = this.#findAsked(request, maxErrors);
    let active: ActiveExtension[] = [];
    for (const extension of this.extensions) {
      const found = partOf(asked, extension);
      const one = found === undefined ? partOf(unasked, extension) : checkApplies(found, target);
      if (one === undefined) continue;
      // A list of one takes the room of one; to be pushed to, it would be made for many.
      if (active.length === 0) active = [one];
      else active.push(one);
    }
    return active;
  }

  /** What an answer to a request that was refused before anything began says of the extensions that it named rightly. */
  refusedData(
    request: ForrstRequest,
    error: RpcError,
    receivedAt: number,
  ): readonly ResponseExtension[] | undefined {
    const answers: ResponseExtension[] = [];
    const seen = new Set<Extension>();
    for (const { urn, options } of request.extensions) {
      const extension = this.#find(urn);
      if (extension?.refusedData === undefined || seen.has(extension)) continue;
      seen.add(extension);
      if ((extension.validate?.(options) ?? []).length > 0) continue;
      const data = extension.refusedData({ options, isAsked: true, error, receivedAt });
      if (data !== undefined) answers.push({ urn, data });
    }
    for (const { extension, urn, options } of this.#unasked.function) {
      if (extension.answersUnasked !== true || seen.has(extension)) continue;
      const data = extension.refusedData?.({ options, isAsked: false, error, receivedAt });
      if (data !== undefined) answers.push({ urn, data });
    }
    return answers.length === 0 ? undefined : answers;
  }

  #find(urn: string): Extension | undefined {
    // Nearly everybody writes the form by which they are kept.
    return this.#byUrn.get(urn) ?? this.#byUrn.get(canonicalUrn(urn));
  }

  #findAsked(request: ForrstRequest, maxErrors: number): readonly Asked[] {
    let asked: Asked[] = [];
    const faults: ForrstError[] = [];
    const unsupported: { urn: string; index: number }[] = [];
    for (let index = 0; index < request.extensions.length; index++) {
      const { urn, options, required } = request.extensions[index] as RequestExtension;
      const extension = this.#find(urn);
      if (extension === undefined) {
        if (required === true) unsupported.push({ urn, index });
      } else if (partOf(asked, extension) !== undefined) {
        faults.push(invalid(`/extensions/${index}/urn`, `The extension ${urn} is given twice`));
      } else {
        const one: Asked = { extension, urn, options, isAsked: true, index };
        if (asked.length === 0) asked = [one];
        else asked.push(one);
        for (const fault of extension.validate?.(options) ?? [])
          faults.push(invalid(`/extensions/${index}/options${fault.pointer}`, fault.message));
      }
    }
    if (unsupported.length > 0) throw this.#notSupported(unsupported);
    if (faults.length === 0) return asked;
    const [first, ...others] = faults.slice(0, maxErrors) as [ForrstError, ...ForrstError[]];
    throw fromForrstErrors([first, ...others]);
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

/** At most one for each extension of the server, so a handful. */
function partOf<Part extends ActiveExtension>(
  parts: readonly Part[],
  extension: Extension,
): Part | undefined {
  for (const part of parts) if (part.extension === extension) return part;
  return undefined;
}

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
