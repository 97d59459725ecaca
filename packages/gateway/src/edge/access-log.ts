import { createWriteStream, type WriteStream } from "node:fs";
import type { Writable } from "node:stream";

/** One line: what was asked, by whom and what became of it. Neither queries nor cookies: they hold secrets. */
interface AccessEntry {
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly preview?: string | undefined;
  readonly visitor?: string | undefined;
  readonly partner?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Code of what went wrong. */
  readonly error?: string | undefined;
  readonly broken?: "upstream" | "client" | undefined;
}

export interface AccessLog {
  write(entry: AccessEntry): void;
  /** Opens the file anew, after somebody has moved it away. */
  reopen(): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Waiting for a slow disk. 4 MiB: some ten thousand lines. At the limit lines are dropped (I8), and the next one says how many. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** `to`: a file, or `stdout`. A file that cannot be written is told to `onError`; requests are served all the same. */
export function createAccessLog(
  to: string,
  onError: (error: unknown) => void,
  stdout: Writable = process.stdout,
): AccessLog {
  let file: WriteStream | undefined;
  let dropped = 0;
  const open = (): void => {
    if (to === "stdout") return;
    file = createWriteStream(to, { flags: "a" }).on("error", onError);
  };
  open();
  return {
    write(entry) {
      const out = file ?? stdout;
      if (out.destroyed || out.writableLength > maxWaitingBytes) {
        dropped += 1;
        return;
      }
      const lost = dropped === 0 ? {} : { dropped };
      dropped = 0;
      out.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry, ...lost })}\n`);
    },
    reopen() {
      file?.end();
      open();
    },
    close: () =>
      new Promise((resolve) => {
        if (file === undefined || file.destroyed) return resolve();
        file.once("close", resolve).end();
      }),
  };
}
