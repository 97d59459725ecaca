import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { contextChannels } from "../index.ts";

const guide = readFileSync(new URL("../../../../docs/guides/context.md", import.meta.url), "utf8");
// Inside of the package, so that `@clew/context` means the one that was just built.
const folder = new URL("../guide-snippets/", import.meta.url);
mkdirSync(folder, { recursive: true });
after(() => rmSync(folder, { recursive: true }));

const snippets = [...guide.matchAll(/^## (.+)$|^```js\n([\s\S]*?)^```$/gm)];
let section = "";
let index = 0;
for (const [, heading, code] of snippets) {
  section = heading ?? section;
  if (code === undefined) continue;
  const file = new URL(`${++index}.mjs`, folder);
  writeFileSync(file, code);
  test(`the guide's snippet ${index}, "${section}", runs and says the truth`, async () => {
    assert.match(code, /assert\./, "a snippet without an assertion shows nothing");
    await import(file.href);
  });
}

test("the guide lists every channel of faults", () => {
  for (const channel of Object.values(contextChannels)) assert.ok(guide.includes(`\`${channel}\``), channel);
  assert.ok(index >= 10);
});
