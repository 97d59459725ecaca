// @ts-check
// Follows docs/guides/first-forrst-service.md: writes its files, runs its commands, and compares what they print.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, startProcess } from "@clew/testing";

const guide = readFileSync(new URL("../docs/guides/first-forrst-service.md", import.meta.url), "utf8");

/**
 * A block of code, and the last file name that the text before it mentions.
 * @typedef {{ language: string, code: string, file: string }} Block
 */

/** @param {string} text @returns {Block[]} */
function readBlocks(text) {
  let file = "";
  return [...text.matchAll(/`(\w+\.mjs)`|^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, name, language, code]) => {
      file = name ?? file;
      return language === undefined || code === undefined ? [] : [{ language, code, file }];
    },
  );
}

test("the guide to a first service can be followed to the letter", async (t) => {
  // Inside of the workspace, as the guide has it, so that the packages are found.
  const folder = fileURLToPath(new URL(`guide-${process.pid}/`, import.meta.url));
  mkdirSync(folder);
  t.after(() => rmSync(folder, { recursive: true }));
  const [orders, shop] = [await freePort(), await freePort()];
  const blocks = readBlocks(guide.replaceAll("8080", String(orders)).replaceAll("8081", String(shop)));
  // The commands' `node` is the one that runs this test.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };
  const run = promisify(execFile);
  let compared = 0;
  for (const [index, { language, code, file }] of blocks.entries()) {
    if (language === "js") writeFileSync(`${folder}${file}`, code);
    if (language !== "sh" || code.startsWith("npm ")) continue;
    const expected = blocks[index + 1]?.code.trimEnd();
    const background = /^node (\S+) &$/m.exec(code)?.[1];
    if (background !== undefined) {
      const child = await startProcess(process.execPath, [background], { cwd: folder });
      t.after(() => child[Symbol.asyncDispose]());
      assert.equal(await child.waitForLine(/./), expected);
    } else {
      const { stdout } = await run("sh", ["-c", code], { cwd: folder, env });
      assert.equal(stdout.trimEnd(), expected, code);
    }
    compared++;
  }
  assert.equal(compared, 6);
});
