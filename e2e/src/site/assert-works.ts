import assert from "node:assert/strict";
import type { Visitor } from "../visitor.ts";

/** Waits until the front page's script has brought about all that it does, and holds it to this edition. */
export async function assertWorks(visitor: Visitor, edition: string): Promise<void> {
  assert.equal(await visitor.text("h1"), `The ${edition} site`);
  for (const [id, text] of [
    ["fetched", edition],
    ["uploaded", `${edition} 2097152`],
    ["socket", `${edition}: hello`],
    ["events", `${edition} 1, ${edition} 2, ${edition} 3`],
    ["film", "206 10"],
    ["fragment", `A fragment of ${edition}`],
  ] as const) {
    await visitor.reads(`#${id}`, text);
  }
  assert.equal(await visitor.page.evaluate("document.getElementById('picture').naturalWidth > 0"), true);
  assert.equal(
    await visitor.page.evaluate("getComputedStyle(document.querySelector('h1')).color"),
    "rgb(1, 2, 3)",
  );
  assert.deepEqual(visitor.complaints, []);
}
