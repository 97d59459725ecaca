import { existsSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { CliError } from "../errors.ts";
import { loadConfig, readToken } from "./load-config.ts";
import { readUpState } from "./up-state.ts";

export const configFileName = "clew.yaml";

/** The manager's address when nothing says otherwise. */
const defaultManager = "http://127.0.0.1:7400";

export interface FoundManager {
  readonly url: string;
  readonly token: string | undefined;
  /** For messages: which of the possible sources named it. */
  readonly source: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** clew.yaml in this folder or the nearest one above. */
export function findConfigFile(cwd: string): string | undefined {
  const { root } = parse(cwd);
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, configFileName);
    if (existsSync(file)) return file;
    if (folder === root) return undefined;
  }
}

/** Finds the manager: flag, CLEW_MANAGER, clew.yaml, the last `clew up`, the default address. */
export function findManager(flag: string | undefined, env: Environment, cwd: string): FoundManager {
  const tokenFile = env["CLEW_TOKEN_FILE"];
  const ownToken = tokenFile === undefined ? undefined : readToken(tokenFile);
  if (flag !== undefined) return { url: managerUrl(flag, "--manager"), token: ownToken, source: "--manager" };
  const variable = env["CLEW_MANAGER"];
  if (variable !== undefined) {
    return { url: managerUrl(variable, "CLEW_MANAGER"), token: ownToken, source: "CLEW_MANAGER" };
  }
  const file = findConfigFile(cwd);
  if (file !== undefined) {
    const { manager } = loadConfig(file, env).config;
    return {
      url: `http://${manager.advertise}`,
      token: ownToken ?? manager.token,
      source: file,
    };
  }
  const last = readUpState(env);
  if (last !== undefined) {
    const token = ownToken ?? (last.tokenFile === undefined ? undefined : readToken(last.tokenFile));
    return { url: last.manager, token, source: "the last `clew up`" };
  }
  return { url: defaultManager, token: ownToken, source: "the default address" };
}

/** Accepts `http://host:port` and, for convenience, `host:port`. */
function managerUrl(text: string, source: string): string {
  const candidate = text.includes("://") ? text : `http://${text}`;
  if (URL.canParse(candidate)) {
    const { protocol, origin } = new URL(candidate);
    if (protocol === "http:") return origin;
  }
  throw new CliError("E_USAGE", `${source} is not the address of a manager: ${text}`, {
    hint: `Such as ${source} http://127.0.0.1:7400`,
  });
}
