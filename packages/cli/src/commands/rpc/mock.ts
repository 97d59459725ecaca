import { isDeepStrictEqual } from "node:util";
import { createServer, defineFunction, defineStream, type ForrstServer, listen, RpcError } from "@clew/rpc";
import { type CliContext, type OutputFlags, print } from "../../cli-context.ts";
import {
  argumentsSchema,
  type DescribedFunction,
  type Description,
  loadDescription,
  resultSchema,
} from "./description.ts";
import { sampleOf } from "./sample.ts";

interface MockFlags extends OutputFlags {
  readonly port?: number;
}

/** Answers in the place of a service that is described, until it is interrupted. */
export async function mock(this: CliContext, flags: MockFlags, source: string): Promise<void> {
  const description = await loadDescription(source);
  const listener = await listen(createMock(description), { port: flags.port ?? 0 });
  const { title } = description.info;
  const count = description.functions.length;
  print(
    this,
    { url: listener.url, functions: count },
    `Mock of ${title} with ${count} functions at ${listener.url}\nPress Ctrl-C to end it.`,
  );
  await new Promise<void>((resolve) => {
    this.process.once("SIGINT", resolve);
    this.process.once("SIGTERM", resolve);
  });
  await listener.close();
}

/** Arguments are validated as the service would; the answer is an example's, or made up from the schema. */
export function createMock({ info, functions }: Description): ForrstServer {
  const server = createServer({ service: info.title, version: info.version });
  for (const described of functions) {
    const { name, version, summary, examples = [] } = described;
    const docs = { summary, examples: examples as never };
    const args = argumentsSchema(described);
    const result = resultSchema(described);
    if (described["x-stream"] === true) {
      const contract = defineStream({ name, version, arguments: args, event: result, docs });
      server.implementStream(contract, async function* () {
        yield sampleOf(result);
      });
    } else {
      const contract = defineFunction({ name, version, arguments: args, result, docs });
      server.implement(contract, (given) => answer(described, given));
    }
  }
  return server;
}

/** The example whose arguments were given, else the first that succeeds, else a sample. */
function answer(described: DescribedFunction, given: unknown): unknown {
  const { examples = [] } = described;
  const example =
    examples.find((one) => isDeepStrictEqual(one.arguments, given)) ??
    examples.find((one) => one.result !== undefined);
  const error = example?.errors?.[0];
  if (error !== undefined) throw new RpcError(error.code, error.message);
  return example?.result ?? sampleOf(resultSchema(described));
}
