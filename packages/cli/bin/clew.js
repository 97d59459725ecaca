#!/usr/bin/env node
import { existsSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

const main = new URL("../dist/main.js", import.meta.url);
if (!existsSync(main)) {
  process.stderr.write("clew: not built yet. Run: npm run build\n");
  process.exit(64);
}
// What a start runs often it never runs again, and V8's optimizing compiler, once used, takes 5 MiB of an agent that has nothing to
// do: those processes turn it on when they serve (src/processes/heap.ts).
if (["agent", "gateway"].includes(process.argv[2] ?? "")) setFlagsFromString("--no-opt");
await import(main.href);
