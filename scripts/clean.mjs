// Removes what builds leave: every dist folder of the workspace.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = [...readdirSync(join(root, "packages")).map((name) => join("packages", name)), "e2e"];
for (const folder of folders) rmSync(join(root, folder, "dist"), { recursive: true, force: true });
