import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CliError } from "../../errors.ts";

/** What is asked of a terminal. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
}

/**
 * A password from whoever sits at the terminal, typed twice and never shown.
 * Throws E_USAGE without a terminal, E_PASSWORD when the two differ, E_INTERRUPTED at Ctrl-C and Ctrl-D.
 */
export async function askTwice({ stdin, stderr }: Terminal): Promise<string> {
  if (stdin.isTTY !== true) {
    throw new CliError("E_USAGE", "there is no terminal to ask for the password", {
      hint: "Name a file: --password-file FILE, where - is standard input",
    });
  }
  const password = await ask({ stdin, stderr }, "Password for visitors: ");
  if ((await ask({ stdin, stderr }, "The same again: ")) === password) return password;
  throw new CliError("E_PASSWORD", "the two passwords differ");
}

async function ask({ stdin, stderr }: Terminal, question: string): Promise<string> {
  stderr.write(question);
  // What is typed is echoed to nobody.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output, terminal: true });
  const left = new AbortController();
  lines.once("close", () => left.abort());
  try {
    return await lines.question("", { signal: left.signal });
  } catch (cause) {
    throw new CliError("E_INTERRUPTED", "no password was given, and no preview made", { cause });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}
