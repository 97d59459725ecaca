import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { RegistryError } from "./registry-error.ts";

/**
 * A file of records: each is one line, the CRC-32 of its JSON in eight hex digits, a space, the JSON.
 * People can read it, and damage shows.
 */
export interface RecordFile {
  readonly records: ReadonlyArray<{ readonly offset: number; readonly value: unknown }>;
  /** Where whole records end. Less than the file's size when the last one was half written. */
  readonly wholeBytes: number;
}

const newline = 0x0a;
const checksumLength = 8;
const jsonAt = checksumLength + 1;

export function encodeRecord(value: unknown): string {
  const json = JSON.stringify(value);
  return `${checksum(json)}${json}\n`;
}

/** Throws E_REGISTRY_CORRUPT when a line that was written whole is not what was written. */
export function parseRecordFile(bytes: Buffer, file: string): RecordFile {
  const records: Array<{ offset: number; value: unknown }> = [];
  let offset = 0;
  for (;;) {
    const end = bytes.indexOf(newline, offset);
    if (end === -1) return { records, wholeBytes: offset };
    const json = bytes.subarray(Math.min(offset + jsonAt, end), end);
    if (bytes.toString("latin1", offset, offset + jsonAt) !== checksum(json)) {
      throw corrupt(file, offset, "the record's checksum is wrong");
    }
    records.push({ offset, value: JSON.parse(json.toString()) });
    offset = end + 1;
  }
}

export function corrupt(file: string, offset: number, what: string): RegistryError {
  const begin = "Move the directory away to begin anew (people make overrides and previews again)";
  const hint =
    basename(file) === "journal"
      ? `${begin}, or keep only what was written before the damage: truncate -s ${offset} '${file}'.`
      : `${begin}, or put the file back from a copy.`;
  return new RegistryError("E_REGISTRY_CORRUPT", `${file} is damaged at byte ${offset}: ${what}.`, { hint });
}

function checksum(json: string | Buffer): string {
  return `${crc32(json).toString(16).padStart(checksumLength, "0")} `;
}
