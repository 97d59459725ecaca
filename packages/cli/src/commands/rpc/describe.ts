import { type CliContext, type OutputFlags, print } from "../../cli-context.ts";
import { layOut } from "../../output/table.ts";
import { callSystem, type DescribedFunction, fetchDescription } from "./description.ts";
import { withService } from "./service.ts";

/** What a service offers, or all about one of its functions. */
export async function describe(
  this: CliContext,
  _flags: OutputFlags,
  url: string,
  name?: string,
): Promise<void> {
  await withService(url, async (client) => {
    if (name !== undefined) {
      const told = await callSystem(client, "urn:cline:forrst:fn:describe", { function: name });
      print(this, told, JSON.stringify(told, null, 2));
      return;
    }
    const description = await fetchDescription(client);
    const { title, version } = description.info;
    const rows = description.functions.map(describeRow);
    print(this, description, `${title} ${version}\n${layOut(rows)}`);
  });
}

function describeRow(described: DescribedFunction): string[] {
  const { name, version, summary = "", deprecated } = described;
  const args = (described.arguments ?? []).map((argument) =>
    argument.required === true ? argument.name : `${argument.name}?`,
  );
  const notes = [
    ...(described["x-stream"] === true ? ["stream"] : []),
    ...(deprecated === undefined ? [] : [`deprecated: ${deprecated.reason ?? "no reason given"}`]),
    ...(summary === "" ? [] : [summary]),
  ];
  return [`${name}@${version}`, `(${args.join(", ")})`, notes.join("; ")];
}
