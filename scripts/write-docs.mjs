// Writes the pages that come from code: docs/reference/configuration.md and clew.schema.json.
// `--check` writes nothing and fails when a page is not what would be written.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toJsonSchema } from "@valibot/to-json-schema";
import { configSchema } from "../packages/cli/dist/config/schema.js";
import { environmentName, settings } from "../packages/cli/dist/config/settings.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const { $schema, ...described } = toJsonSchema(configSchema, {
  target: "draft-2020-12",
  // What JSON Schema cannot say: conditions over several members, and blanks that are taken off.
  ignoreActions: ["check", "finite", "safe_integer", "trim"],
});
const schema = { $schema, ...described };
const bySetting = new Map(settings.map((setting) => [setting.path.join("."), setting]));

/** Rows of one level of the schema; a record's members are shown as NAME. */
function rows(node, path = []) {
  const { properties = {}, additionalProperties } = node;
  const members = Object.entries(properties);
  if (typeof additionalProperties === "object") members.push(["NAME", additionalProperties]);
  return members.flatMap(([name, member]) => {
    const here = [...path, name];
    return member.description ? [row(here, member), ...rows(member, here)] : rows(member, here);
  });
}

function row(path, { description = "" }) {
  const setting = bySetting.get(path.join("."));
  const fallback = setting?.fallback === undefined ? "" : `\`${JSON.stringify(setting.fallback)}\``;
  const variable = setting ? `\`${environmentName(setting.path)}\`` : "";
  return `| \`${path.join(".")}\` | ${description} | ${fallback} | ${variable} |`;
}

const page = `# Configuration

One file, \`clew.yaml\`; every part reads its own section. A value comes from a flag, else from the environment, else from the
file, else it is the default. \`clew up --print-config\` shows each value and where it came from. A file with faults is
refused with all of them, each with its line. The schema for editors is [clew.schema.json](clew.schema.json).

<!-- Written by npm run docs:write from packages/cli/src/config/schema.ts -->

| setting | what it is | default | environment |
|---|---|---|---|
${rows(schema).join("\n")}

Clients find the manager by \`--manager\`, \`CLEW_MANAGER\`, the nearest \`clew.yaml\`, the last \`clew up\` of this user, or
\`http://127.0.0.1:7400\`, in this order. \`CLEW_TOKEN_FILE\` names the file with the manager's token, \`CLEW_OWNER\` says who you
are when that is not your user name.
`;

const files = [
  ["docs/reference/configuration.md", page],
  ["docs/reference/clew.schema.json", `${JSON.stringify(schema, null, 2)}\n`],
];
const stale = files.filter(
  ([name, text]) => !existsSync(join(root, name)) || readFileSync(join(root, name), "utf8") !== text,
);
if (process.argv.includes("--check")) {
  for (const [name] of stale) process.stderr.write(`${name} is not what the code says: npm run docs:write\n`);
  process.exit(stale.length === 0 ? 0 : 1);
}
for (const [name, text] of stale) writeFileSync(join(root, name), text);
