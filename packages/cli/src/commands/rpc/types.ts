import { type CliContext, type OutputFlags, print } from "../../cli-context.ts";
import {
  argumentsSchema,
  type DescribedFunction,
  type Description,
  loadDescription,
  resultSchema,
} from "./description.ts";
import { schemaToType } from "./schema-types.ts";

/** Types of a service's functions, for a client that shares no code with it. */
export async function types(this: CliContext, _flags: OutputFlags, source: string): Promise<void> {
  const text = writeTypes(await loadDescription(source));
  print(this, { types: text }, text.trimEnd());
}

/** The text of a `.d.ts`. */
export function writeTypes({ info, functions }: Description): string {
  const name = info.title.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_, first: string) =>
    first.toUpperCase(),
  );
  const face = /^[A-Za-z]/.test(name) ? `${name}Caller` : "ServiceCaller";
  const streams = functions.filter((one) => one["x-stream"] === true);
  const calls = functions.filter((one) => one["x-stream"] !== true);
  return `// Written by clew rpc types, for ${oneLine(info.title)} ${oneLine(info.version)}. Use it so:
//   const caller: ${face} = createCaller(createClient({ url, service }));
import type { Caller } from "@clew/rpc";

export interface Functions {${calls.map((one) => entry(one, "result")).join("")}
}

export interface Streams {${streams.map((one) => entry(one, "event")).join("")}
}

export type ${face} = Caller<Functions, Streams>;
`;
}

function entry(described: DescribedFunction, given: "result" | "event"): string {
  const { name, version, summary, deprecated } = described;
  const notes = [
    ...(summary === undefined ? [] : [oneLine(summary)]),
    ...(deprecated === undefined ? [] : [`@deprecated ${oneLine(deprecated.reason ?? "")}`.trimEnd()]),
  ];
  const comment = notes.length === 0 ? "" : `\n  /** ${notes.join(" ")} */`;
  const args = argumentsSchema(described);
  const result = resultSchema(described);
  return `${comment}
  ${JSON.stringify(`${name}@${version}`)}: {
    arguments: ${schemaToType(args, args)};
    ${given}: ${schemaToType(result, result)};
  };`;
}

/** Texts of the service's must not end a comment. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("*/", "* /").trim();
}
