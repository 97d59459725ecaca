import {
  type CallOptions,
  createClient,
  type ForrstClient,
  type FunctionContract,
  type StreamContract,
  type StreamOptions,
} from "@clew/rpc/client";
import { api, type ManagerApi, managerPath } from "./api.ts";

type ClientOf<Contracts> =
  Contracts extends FunctionContract<infer Args, infer Result>
    ? (args: Args, options?: CallOptions) => Promise<Result>
    : Contracts extends StreamContract<infer Args, infer Event>
      ? (args: Args, options?: StreamOptions) => AsyncIterable<Event>
      : { readonly [Name in keyof Contracts]: ClientOf<Contracts[Name]> };

/** Every function of {@link ManagerApi}, called over one pool of connections. Rejections are as `ForrstClient.call` says. */
export type ManagerClient = ClientOf<ManagerApi> & {
  /** Lets go of kept connections. Calls under way go on. */
  close(): void;
};

export interface ManagerClientOptions {
  /** The manager's origin, such as `http://127.0.0.1:7400`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Name of the calling part, such as `agent` or `cli`. */
  readonly service: string;
  /** Default: the RPC client's 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** Throws E_RPC_OPTIONS for a URL, service name or token that cannot be sent. */
export function createManagerClient({ url, ...options }: ManagerClientOptions): ManagerClient {
  const endpoint = URL.canParse(managerPath, url) ? new URL(managerPath, url).href : url;
  const client = createClient({ ...options, url: endpoint });
  return { ...(clientOf(api, client) as ClientOf<ManagerApi>), close: () => client.close() };
}

function clientOf(contracts: object, client: ForrstClient): unknown {
  if ("result" in contracts) {
    const contract = contracts as FunctionContract<unknown, unknown>;
    return (args: unknown, options?: CallOptions) => client.call(contract, args, options);
  }
  if ("event" in contracts) {
    const contract = contracts as StreamContract<unknown, unknown>;
    return (args: unknown, options?: StreamOptions) => client.stream(contract, args, options);
  }
  return Object.fromEntries(
    Object.entries(contracts).map(([name, inner]) => [name, clientOf(inner, client)]),
  );
}
