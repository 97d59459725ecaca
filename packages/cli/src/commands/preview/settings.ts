import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import type { JsonValue } from "@clew/context";
import { minPasswordLength, type PreviewAccessRequest, type PreviewRequest } from "@clew/control";
import type { CliContext } from "../../cli-context.ts";
import { CliError } from "../../errors.ts";
import { parsePairs } from "../rpc/service.ts";
import { askTwice } from "./ask-password.ts";

export type AccessKind = PreviewAccessRequest["kind"];

export interface AccessFlags {
  readonly access?: AccessKind;
  readonly passwordFile?: string;
  readonly newLink?: boolean;
}

export interface SettingFlags extends AccessFlags {
  readonly newLink: boolean;
  readonly ingress?: string;
  readonly header?: readonly string[];
  readonly field?: readonly string[];
  readonly banner?: boolean;
}

type Settings = Pick<PreviewRequest, "access" | "ingress" | "headers" | "fields" | "banner">;

/** What the flags say of a preview; nothing of what they do not. Throws E_USAGE, E_PASSWORD. */
export async function readSettings(cli: CliContext, flags: SettingFlags): Promise<Settings> {
  const { ingress, header = [], field = [], banner } = flags;
  return {
    access: await readAccess(cli, flags),
    ingress,
    headers: header.length === 0 ? undefined : header.map(parseHeader),
    fields: field.length === 0 ? undefined : (parsePairs(field, "field") as Record<string, JsonValue>),
    banner,
  };
}

/** Each flag says which access is meant. Asks for a password where a person sits and no file is named. */
export async function readAccess(
  cli: CliContext,
  { access, passwordFile, newLink = false }: AccessFlags,
): Promise<PreviewAccessRequest | undefined> {
  const kind =
    access ?? (passwordFile === undefined ? undefined : "password") ?? (newLink ? "link" : undefined);
  if (kind === undefined) return undefined;
  if (newLink && kind !== "link") {
    throw new CliError("E_USAGE", `--new-link is of no use with access ${kind}`, {
      hint: "Leave it out, or say --access link",
    });
  }
  if (kind === "password") return { kind, password: await readPassword(cli, passwordFile) };
  if (passwordFile === undefined) return kind === "link" ? { kind, renew: newLink } : { kind };
  throw new CliError("E_USAGE", `--access ${kind} takes no password`, {
    hint: "Leave --password-file out, or say --access password",
  });
}

async function readPassword({ process }: CliContext, file: string | undefined): Promise<string> {
  const password = file === undefined ? await askTwice(process) : await readFile(process, file);
  if (password.length >= minPasswordLength) return password;
  throw new CliError("E_PASSWORD", `a password of ${password.length} characters is too easy to guess`, {
    hint: `Use at least ${minPasswordLength}; several words are easy to remember.`,
  });
}

/** The first line of a file, or of standard input. */
async function readFile(process: CliContext["process"], file: string): Promise<string> {
  try {
    const content = file === "-" ? await readAll(process.stdin) : readFileSync(file, "utf8");
    return content.split(/\r?\n/, 1)[0] ?? "";
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError("E_PASSWORD", `the password cannot be read from ${file} (${code})`, { cause });
  }
}

/** `name=value`, or `name: value` as it is written in a request. */
function parseHeader(line: string): readonly [string, string] {
  const [, name, value] = /^([^=:\s]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new CliError("E_USAGE", `not a header: ${line}`, { hint: "Such as --header x-beta=1" });
}
