import { context } from "@clew/context";
import { createCaller } from "@clew/rpc";
import { type CliContext, type OutputFlags, print } from "../../cli-context.ts";
import { CliError } from "../../errors.ts";
import { fetchDescription } from "./description.ts";
import { contextOf, parsePairs, withService } from "./service.ts";

interface CallFlags extends OutputFlags {
  readonly arg?: readonly string[];
  readonly context?: readonly string[];
}

/** Calls a function once, or prints a stream's events as they come. */
export async function call(this: CliContext, flags: CallFlags, url: string, name: string): Promise<void> {
  const args = parsePairs(flags.arg ?? [], "arg");
  const carried = contextOf(flags.context ?? []);
  await withService(url, async (client) => {
    const { key, isStream } = await find(name, () => fetchDescription(client));
    const caller = createCaller<
      Record<string, { arguments: object; result: unknown }>,
      Record<string, { arguments: object; event: unknown }>
    >(client);
    await context.run(carried, async () => {
      if (!isStream) {
        const result = await caller.call(key, args);
        print(this, result, JSON.stringify(result, null, 2));
        return;
      }
      for await (const event of caller.stream(key, args)) {
        this.process.stdout.write(`${JSON.stringify(event)}\n`);
      }
    });
  });
}

/** `name` or `name@version`; the protocol's own functions are in no description. */
async function find(
  name: string,
  describe: () => ReturnType<typeof fetchDescription>,
): Promise<{ readonly key: string; readonly isStream: boolean }> {
  if (name.startsWith("urn:")) return { key: name.includes("@") ? name : `${name}@1.0.0`, isStream: false };
  const { functions } = await describe();
  const [wanted, version] = name.split("@");
  const versions = functions.filter((one) => one.name === wanted);
  const found =
    version === undefined
      ? (versions.findLast((one) => !one.version.includes("-")) ?? versions.at(-1))
      : versions.find((one) => one.version === version);
  if (found !== undefined) {
    return { key: `${found.name}@${found.version}`, isStream: found["x-stream"] === true };
  }
  const known = functions.map((one) => `${one.name}@${one.version}`);
  throw new CliError("E_USAGE", `the service has no function ${name}`, {
    hint: known.length === 0 ? "It describes none at all." : `It has ${known.join(", ")}.`,
  });
}
