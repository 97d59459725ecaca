// Holds three things equal: the floors (layers.mjs), each package's dependencies and tsconfig references,
// and what its sources really import. Exits 1 and names each fault.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { aside, floors, planned, rowNumbers } from "./layers.mjs";

const scope = "@clew/";

/** Reads one workspace package as the check needs it. */
function readPackage(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const tsconfig = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8"));
  const own = (record) =>
    Object.keys(record ?? {})
      .filter((name) => name.startsWith(scope))
      .map((name) => name.slice(scope.length));
  return {
    name: manifest.name.slice(scope.length),
    dependencies: own(manifest.dependencies),
    devDependencies: own(manifest.devDependencies),
    references: (tsconfig.references ?? []).map(({ path }) => path.split("/").at(-1)),
    imports: readImports(join(folder, "src")),
  };
}

/** Every `@clew/…` specifier below a folder, with the file that has it. */
function readImports(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"@clew\/([a-z-]+)(\/[^"]*)?"/g)].map(
      ([, name]) => ({ name, file, inTest: /\.test\.ts$|\/test\//.test(file) }),
    ),
  );
}

/** The faults of one package, as sentences. */
export function faultsOf(pkg, rows) {
  const faults = [];
  const row = rows.get(pkg.name);
  const isAside = aside.includes(pkg.name);
  if (row === undefined && !isAside) return [`${pkg.name}: is on no floor; place it in scripts/layers.mjs`];
  for (const name of pkg.dependencies) {
    if (isAside) faults.push(`${pkg.name}: stands aside and must not depend on ${name}`);
    else if (aside.includes(name))
      faults.push(`${pkg.name}: may use ${name} in tests only (devDependencies)`);
    else if (!(rows.get(name) < row))
      faults.push(`${pkg.name}: must not import ${name}: it goes up or sideways`);
  }
  const declared = new Set([...pkg.dependencies, ...pkg.devDependencies]);
  for (const name of declared)
    if (!pkg.references.includes(name))
      faults.push(`${pkg.name}: depends on ${name} without a tsconfig reference`);
  for (const name of pkg.references)
    if (!declared.has(name))
      faults.push(`${pkg.name}: tsconfig refers to ${name}, which package.json does not`);
  for (const { name, file, inTest } of pkg.imports) {
    const allowed =
      name === pkg.name || pkg.dependencies.includes(name) || (inTest && pkg.devDependencies.includes(name));
    if (!allowed) faults.push(`${file}: imports ${scope}${name}, which ${pkg.name} does not declare for it`);
  }
  return faults;
}

/** The floors, top first, as text. */
export function drawFloors(present) {
  const label = (name) => (planned.has(name) && !present.has(name) ? `(${name}: planned)` : name);
  const lines = floors
    .toReversed()
    .flatMap(({ floor, rows }) =>
      rows
        .toReversed()
        .map(
          (names, index) => `${index === 0 ? `floor ${floor}` : "       "}   ${names.map(label).join("   ")}`,
        ),
    );
  return [...lines, `aside     ${aside.join("   ")}`].join("\n");
}

function main() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  const packages = folders.filter((folder) => existsSync(join(folder, "package.json"))).map(readPackage);
  const rows = rowNumbers();
  const present = new Set(packages.map(({ name }) => name));
  const missing = [...rows.keys(), ...aside]
    .filter((name) => !present.has(name) && !planned.has(name))
    .map((name) => `${name}: has a floor and no package`);
  const faults = [...missing, ...packages.flatMap((pkg) => faultsOf(pkg, rows))];
  process.stdout.write(`${drawFloors(present)}\n`);
  if (faults.length > 0) {
    process.stderr.write(`${faults.map((fault) => `layers: ${fault}`).join("\n")}\n`);
    process.exit(1);
  }
  process.stdout.write(`layers: ${packages.length} packages, every import goes down, no circle\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
