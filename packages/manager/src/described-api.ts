import { api, type ManagerApi } from "@clew/control";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

/** What JSON Schema cannot say: conditions over several members, and blanks that are taken off. */
const unsaid = ["check", "finite", "guard", "safe_integer", "trim"];

/**
 * The manager's contracts, whose schemas also write themselves as JSON Schema, which `describe` tells. Valibot leaves that
 * to a converter. It is added here, where the functions are served, so that agents and clients never load it.
 */
export const describedApi: ManagerApi = describable(api);

function describable<T extends object>(part: T): T {
  const members = Object.entries(part).map(([name, member]: [string, unknown]) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return [name, member];
    return [name, "~standard" in member ? withJsonSchema(member as GenericSchema) : describable(member)];
  });
  return Object.fromEntries(members) as T;
}

/** As the Standard Schema has it: https://standardschema.dev/json-schema. */
function withJsonSchema(schema: GenericSchema): object {
  // Of two schemas in a row, the last one says what it gives, which here is also what it takes.
  const write = (): object =>
    toJsonSchema(schema, { target: "draft-2020-12", typeMode: "output", ignoreActions: unsaid });
  return {
    ...schema,
    "~standard": { ...schema["~standard"], jsonSchema: { input: write, output: write } },
  };
}
