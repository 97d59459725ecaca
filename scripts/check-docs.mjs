// Holds pages and code equal: links lead somewhere, error codes are listed both ways, generated pages are current.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function filesBelow(folder, pattern) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/node_modules|\/dist\//.test(file));
}

/** Relative links of a page that lead nowhere. */
export function brokenLinks(file, text, exists = existsSync) {
  return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !exists(join(dirname(file), target)));
}

/** Codes thrown and not listed, and codes listed and not thrown. */
export function codeDifferences(thrown, page) {
  const listed = new Set([...page.matchAll(/^\| `(E_[A-Z0-9_]+)` +\|/gm)].map(([, code]) => code));
  return {
    unlisted: [...thrown].filter((code) => !listed.has(code)).toSorted(),
    unknown: [...listed].filter((code) => !thrown.has(code)).toSorted(),
  };
}

function thrownCodes() {
  const sources = filesBelow("packages", /\.ts$/).filter(
    (file) => !/\.test\.ts$|\/test\/|packages\/testing\//.test(file),
  );
  const codes = sources.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/"(E_[A-Z0-9_]+)"/g)]);
  return new Set(codes.map(([, code]) => code));
}

function main() {
  const faults = [];
  const pages = filesBelow("docs", /\.md$/);
  for (const name of readdirSync(root)) if (name.endsWith(".md")) pages.push(join(root, name));
  for (const page of pages) {
    for (const target of brokenLinks(page, readFileSync(page, "utf8"))) {
      faults.push(`${relative(root, page)}: the link to ${target} leads nowhere`);
    }
  }
  const { unlisted, unknown } = codeDifferences(
    thrownCodes(),
    readFileSync(join(root, "docs/reference/errors.md"), "utf8"),
  );
  for (const code of unlisted) faults.push(`docs/reference/errors.md: ${code} is thrown and not listed`);
  for (const code of unknown) faults.push(`docs/reference/errors.md: ${code} is listed and nowhere thrown`);
  const generated = spawnSync(process.execPath, ["scripts/write-docs.mjs", "--check"], {
    cwd: root,
    encoding: "utf8",
  });
  if (generated.status !== 0) faults.push(generated.stderr.trim());
  for (const fault of faults) process.stderr.write(`docs: ${fault}\n`);
  if (faults.length > 0) process.exit(1);
  process.stdout.write(`docs: ${pages.length} pages, links, error codes and generated pages are right\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
