import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { lockDirectory } from "./directory-lock.ts";
import { corrupt, encodeRecord, parseRecordFile } from "./record-file.ts";
import { RegistryError } from "./registry-error.ts";
import type { OnReport } from "./report.ts";
import { type Change, type ChangeEvent, Store, type StoredLease } from "./store.ts";

export interface StorageOptions {
  readonly directory: string;
  readonly fsync: boolean;
  /** The journal becomes a snapshot when it is larger than this and than the snapshot. */
  readonly journalBytes: number;
  readonly onReport: OnReport;
}

interface SnapshotHead {
  readonly format: number;
  /** The number of the last change that the snapshot holds; journal records up to it are passed over. */
  readonly sequence: number;
  readonly revision: number;
  readonly leases: readonly StoredLease[];
  readonly entries: number;
}

type SnapshotEntry = readonly [key: string, value: string, revision: number, lease?: string];

interface JournalRecord {
  readonly sequence: number;
  readonly change: Change;
}

export interface Loaded {
  readonly storage: Storage;
  readonly store: Store;
  /** The revision of the snapshot, where the events begin. */
  readonly sinceRevision: number;
  readonly events: readonly ChangeEvent[];
}

const format = 1;
/** Written and let go at a time, so that a large snapshot does not hold up the event loop. */
const recordsPerWrite = 1000;

/** A snapshot and the changes since, in one directory that one process has at a time. */
export class Storage {
  readonly #options: StorageOptions;
  readonly #unlock: () => Promise<void>;
  readonly #journal: FileHandle;
  #sequence: number;
  #journalBytes: number;
  #snapshotAtBytes: number;
  /** Set when a failed write could not be taken back: what follows it would be read as damage. */
  #broken: unknown;

  constructor(
    options: StorageOptions,
    unlock: () => Promise<void>,
    journal: FileHandle,
    at: { sequence: number; journalBytes: number },
  ) {
    this.#options = options;
    this.#unlock = unlock;
    this.#journal = journal;
    this.#sequence = at.sequence;
    this.#journalBytes = at.journalBytes;
    this.#snapshotAtBytes = options.journalBytes;
  }

  get wantsSnapshot(): boolean {
    return this.#journalBytes > this.#snapshotAtBytes;
  }

  /** The change outlives this process once this resolves. One at a time. Throws E_REGISTRY_STORAGE. */
  async append(change: Change): Promise<void> {
    if (this.#broken !== undefined) throw this.#failed(this.#broken);
    const record: JournalRecord = { sequence: this.#sequence + 1, change };
    const bytes = Buffer.from(encodeRecord(record));
    try {
      await this.#journal.appendFile(bytes);
      if (this.#options.fsync) await this.#journal.sync();
    } catch (error) {
      await this.#journal.truncate(this.#journalBytes).catch((cause: unknown) => {
        this.#broken = cause;
      });
      throw this.#failed(error);
    }
    this.#sequence += 1;
    this.#journalBytes += bytes.length;
  }

  /** The store must not change meanwhile. A failure loses nothing; the next try is when the journal is twice as long. */
  async snapshot(store: Store): Promise<void> {
    this.#snapshotAtBytes = 2 * this.#journalBytes;
    const bytes = await writeSnapshot(this.#options.directory, store, this.#sequence);
    await this.#journal.truncate(0);
    this.#journalBytes = 0;
    this.#snapshotAtBytes = Math.max(this.#options.journalBytes, bytes);
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#unlock();
  }

  #failed(cause: unknown): RegistryError {
    const { directory } = this.#options;
    return new RegistryError(
      "E_REGISTRY_STORAGE",
      `The journal in ${directory} could not be written: ${cause}.`,
      {
        hint: "See whether the disk is full or read-only. What was acknowledged before is kept.",
        cause,
      },
    );
  }
}

/** Throws E_REGISTRY_LOCKED, E_REGISTRY_CORRUPT, E_REGISTRY_STORAGE. */
export async function openStorage(options: StorageOptions): Promise<Loaded> {
  const { directory } = options;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RegistryError("E_REGISTRY_STORAGE", `${directory} cannot be made: ${cause}.`, { cause });
  }
  const unlock = await lockDirectory(directory, options.onReport);
  let journal: FileHandle | undefined;
  try {
    const store = new Store();
    const stored = await loadSnapshot(directory, store);
    const sinceRevision = store.revision;
    journal = await open(join(directory, "journal"), "a+", 0o600);
    if (stored === undefined) await writeSnapshot(directory, store, 0);
    const played = await playJournal(options, journal, store, stored);
    const storage = new Storage(options, unlock, journal, played);
    return { storage, store, sinceRevision, events: played.events };
  } catch (error) {
    await journal?.close();
    await unlock();
    throw error;
  }
}

/** Returns the sequence that it holds; undefined when there is none yet. */
async function loadSnapshot(directory: string, store: Store): Promise<number | undefined> {
  const file = join(directory, "snapshot");
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const { records, wholeBytes } = parseRecordFile(bytes, file);
  const head = records[0]?.value as SnapshotHead | undefined;
  if (head === undefined) throw corrupt(file, 0, "its first record is missing");
  if (head.format !== format) {
    throw corrupt(file, 0, `it has format ${head.format}, this version reads ${format}`);
  }
  if (wholeBytes !== bytes.length || records.length !== head.entries + 1) {
    throw corrupt(file, wholeBytes, `${records.length - 1} of its ${head.entries} entries are there`);
  }
  for (const lease of head.leases) store.restoreLease(lease);
  for (const record of records.slice(1)) {
    const [key, value, revision, lease] = record.value as SnapshotEntry;
    store.restoreEntry({ key, value, revision, lease });
  }
  store.restoreRevision(head.revision);
  return head.sequence;
}

async function playJournal(
  options: StorageOptions,
  journal: FileHandle,
  store: Store,
  snapshotSequence: number | undefined,
): Promise<{ sequence: number; journalBytes: number; events: readonly ChangeEvent[] }> {
  const file = join(options.directory, "journal");
  const bytes = await journal.readFile();
  const { records, wholeBytes } = parseRecordFile(bytes, file);
  if (snapshotSequence === undefined && records.length > 0) {
    throw corrupt(file, 0, "the snapshot that it follows is missing");
  }
  let sequence = snapshotSequence ?? 0;
  const events: ChangeEvent[] = [];
  for (const { offset, value } of records) {
    const record = value as JournalRecord;
    // A snapshot was taken, and the process ended before the journal was emptied.
    if (record.sequence <= sequence) continue;
    if (record.sequence !== sequence + 1) {
      throw corrupt(file, offset, `change ${record.sequence} follows change ${sequence}`);
    }
    sequence = record.sequence;
    for (const event of store.apply(record.change)) events.push(event);
  }
  if (wholeBytes < bytes.length) {
    await journal.truncate(wholeBytes);
    options.onReport({ kind: "journal-torn", file, offset: wholeBytes, bytes: bytes.length - wholeBytes });
  }
  return { sequence, journalBytes: wholeBytes, events };
}

/** Written aside and renamed: there is always one whole snapshot. Returns its size. */
async function writeSnapshot(directory: string, store: Store, sequence: number): Promise<number> {
  const temporary = join(directory, "snapshot.new");
  const file = await open(temporary, "w", 0o600);
  let bytes = 0;
  try {
    for (const text of snapshotTexts(store, sequence)) {
      await file.appendFile(text);
      bytes += Buffer.byteLength(text);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, "snapshot"));
  await syncDirectory(directory);
  return bytes;
}

function* snapshotTexts(store: Store, sequence: number): IterableIterator<string> {
  const leases = [...store.leases()];
  const head: SnapshotHead = { format, sequence, revision: store.revision, leases, entries: store.size };
  let records = [encodeRecord(head)];
  for (const { key, value, revision, lease } of store.list("")) {
    const entry: SnapshotEntry = lease === undefined ? [key, value, revision] : [key, value, revision, lease];
    records.push(encodeRecord(entry));
    if (records.length === recordsPerWrite) {
      yield records.join("");
      records = [];
    }
  }
  yield records.join("");
}

async function syncDirectory(directory: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(directory, "r");
    await handle.sync();
  } catch {
    // Some systems cannot sync a directory; the rename itself is whole without it.
  } finally {
    await handle?.close();
  }
}
