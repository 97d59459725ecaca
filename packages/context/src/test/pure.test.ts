import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as core from "../core.ts";
import * as main from "../index.ts";
import * as pure from "../pure.ts";

/** Files that an entry loads, by following what compiled modules import. */
function moduleGraph(entry: URL): { files: Map<string, string>; foreign: Set<string> } {
  const files = new Map<string, string>();
  const foreign = new Set<string>();
  const visit = (url: string): void => {
    if (files.has(url)) return;
    const text = readFileSync(new URL(url), "utf8");
    files.set(url, text);
    for (const [, specifier = ""] of text.matchAll(
      /^(?:(?:import|export)\s[^"'=(]*\sfrom|import)\s["']([^"']+)["'];/gm,
    )) {
      if (specifier.startsWith(".")) visit(new URL(specifier, url).href);
      else if (specifier.startsWith("@clew/")) visit(import.meta.resolve(specifier));
      else foreign.add(specifier);
    }
    assert.doesNotMatch(text, /\b(?:import|require)\s*\(/, `${url} loads something at run time`);
  };
  visit(entry.href);
  return { files, foreign };
}

test("the pure entry and all that it loads import nothing from Node, nor from anybody else", () => {
  const { files, foreign } = moduleGraph(new URL("../pure.js", import.meta.url));
  assert.deepEqual([...foreign], []);
  assert.ok(files.size > 30, "the graph was followed");
  const whole = moduleGraph(new URL("../index.js", import.meta.url));
  assert.deepEqual([...whole.foreign], ["node:async_hooks"], "the main entry adds the ambient scope alone");
});

test("the core entry, loaded at the start of every process, loads what carrying takes and little more", () => {
  const { files } = moduleGraph(new URL("../core.js", import.meta.url));
  const loaded = [...files.keys()].map((url) => url.slice(url.lastIndexOf("/dist/") + "/dist/".length));
  for (const part of ["carriers/", "signing/", "fields/field-set", "join", "forrst", "routing-key"]) {
    assert.deepEqual(
      loaded.filter((file) => file.startsWith(part)),
      [],
    );
  }
});

test("in a realm with nothing of Node's the pure entry carries a context through", () => {
  const script = fileURLToPath(new URL("./bare-realm.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--experimental-vm-modules", "--no-warnings", script],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    globals: "undefined,undefined,undefined",
    tenant: "acme",
    sent: { baggage: "tenant_id=acme,greeting=%C3%A9t%C3%A9,n=json:1", "x-forrst-caller": "web" },
    internal: [true, false],
    joined: ["tenant_id"],
  });
});

/** What an application has no use for: whether an OpenTelemetry SDK is there, and one header by itself. */
const forPreloadsOnly = new Set(["openTelemetry", "extractedByOpenTelemetry", "outgoingBaggage"]);

test("the main entry has everything for applications that the others have, and the very same", () => {
  const shared = Object.entries({ ...pure, ...core }).filter(([name]) => !forPreloadsOnly.has(name));
  for (const [name, value] of shared) {
    assert.equal((main as Record<string, unknown>)[name], value, name);
  }
});
