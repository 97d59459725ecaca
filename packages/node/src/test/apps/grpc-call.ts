import { context } from "@clew/context";
import type * as Grpc from "@grpc/grpc-js";

const text = { to: (value: string): Buffer => Buffer.from(value), from: String };
const service = {
  echo: {
    path: "/test.Test/echo",
    requestStream: false,
    responseStream: false,
    requestSerialize: text.to,
    requestDeserialize: text.from,
    responseSerialize: text.to,
    responseDeserialize: text.from,
  },
};

export interface Peers {
  /** Calls for one tenant; the answer says which tenant was ambient there, and the caller's name. */
  call(tenant_id: string): Promise<string>;
  close(): void;
}

/** A server, and a client of it that is not yet connected. */
export async function startPeers(grpc: typeof Grpc): Promise<Peers> {
  const server = new grpc.Server();
  server.addService(service, {
    echo: (call: Grpc.ServerUnaryCall<string, string>, answer: Grpc.sendUnaryData<string>) =>
      answer(null, `${context.get("tenant_id")} from ${call.metadata.get("x-forrst-caller").join(" and ")}`),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const Client = grpc.makeGenericClientConstructor(service, "Test");
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return {
    call: (tenant_id) =>
      context.with(
        { tenant_id },
        () =>
          new Promise((resolve, reject) => {
            client["echo"]?.("?", (error: unknown, answer: string) =>
              error ? reject(error) : resolve(answer),
            );
          }),
      ),
    close() {
      client.close();
      server.forceShutdown();
    },
  };
}
