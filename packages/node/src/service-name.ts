import { dirname, join } from "node:path";

/** Sent when nothing tells a name, so that a receiver can still tell a caller without one from none at all. */
const unnamed = "unknown";

/**
 * The service's own name: `CLEW_SERVICE`, else `OTEL_SERVICE_NAME`, else the name in the package.json nearest to the
 * main script (to the working directory where there is none, as in `node -e`), else `unknown`.
 */
export function serviceName(env: NodeJS.ProcessEnv, main: string | undefined = process.argv[1]): string {
  return env["CLEW_SERVICE"]?.trim() || env["OTEL_SERVICE_NAME"]?.trim() || nameOfPackage(main) || unnamed;
}

function nameOfPackage(main: string | undefined): string | undefined {
  const { readFileSync, realpathSync } = process.getBuiltinModule("node:fs");
  let folder: string;
  try {
    // A command in node_modules/.bin is a link into its package.
    folder = main === undefined ? process.cwd() : dirname(realpathSync(main));
  } catch {
    // Safe: a main script that is no file, or a working directory that is gone, has no package.
    return undefined;
  }
  for (;;) {
    try {
      const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (typeof name === "string" && name !== "") return name;
    } catch {
      // Safe: no package.json here, or none that can be read; the next folder up may have one.
    }
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}
