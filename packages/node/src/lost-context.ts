import { channel } from "node:diagnostics_channel";

/** Published for outgoing calls that were made outside of any scope, as {@link LostContext}. */
const lost = channel("clew.context.lost");

export interface LostContext {
  /** `file:line:column` of the first frame that is neither Node's nor a client library's; undefined where none is known. */
  readonly callSite: string | undefined;
  /** Where the call went. */
  readonly host: string;
  /** Requests that were being served meanwhile: the call was made for one of them, or for none. */
  readonly openRequests: number;
  /** Calls from this place since the last event about it, this one included. */
  readonly count: number;
}

/** Tells where an application loses its context: calls outside of any scope while requests are open. */
export interface LostContexts {
  /** Whether `report` could have anything to say, so that nothing is done for it where not. */
  readonly isWatching: boolean;
  /**
   * Counts a request, by its response or stream, as open until `closed`. Does nothing while nobody listens; returns
   * whether somebody does, so that `closed` is to be called.
   */
  opened(response: object): boolean;
  closed(response: object): void;
  /** To be called by what makes an outgoing request for which no context is ambient, in the caller's own stack. */
  report(host: string): void;
}

/** Between two events about one place. Often enough to be seen, too seldom to fill a log. */
const intervalMs = 60_000;
/** Places that are told apart. What else is met is not reported until the next interval. */
const maxPlaces = 64;
/** Stacks taken in a second: each costs some 20 µs, and a lost context may be lost in a busy loop. */
const maxStacksPerSecond = 50;
/** Frames looked at: client libraries put up to 20 of their own between the application and us. */
const stackDepth = 40;

export function createLostContexts(now: () => number = () => performance.now()): LostContexts {
  const open = new WeakSet<object>();
  let openRequests = 0;
  const stacks = createStackBudget(now);
  const places = createPlaceCounter(now);

  return {
    get isWatching() {
      return openRequests > 0 && lost.hasSubscribers;
    },
    opened(response) {
      if (!lost.hasSubscribers) return false;
      if (open.has(response)) return true;
      open.add(response);
      openRequests += 1;
      return true;
    },
    closed(response) {
      if (openRequests > 0 && open.delete(response)) openRequests -= 1;
    },
    report(host) {
      if (!this.isWatching || !stacks.take()) return;
      const callSite = findCallSite();
      const count = places.count(callSite ?? host);
      if (count > 0) lost.publish({ callSite, host, openRequests, count } satisfies LostContext);
    },
  };
}

/** At most so many in a second. */
function createStackBudget(now: () => number): { take(): boolean } {
  let taken = 0;
  let secondEndsAt = 0;
  return {
    take() {
      const time = now();
      if (time >= secondEndsAt) {
        secondEndsAt = time + 1_000;
        taken = 0;
      }
      taken += 1;
      return taken <= maxStacksPerSecond;
    },
  };
}

/** Counts by place; the count is what to report now, 0 for nothing. */
function createPlaceCounter(now: () => number): { count(place: string): number } {
  const pending = new Map<string, { count: number; nextAt: number }>();
  return {
    count(place) {
      const time = now();
      let entry = pending.get(place);
      if (entry === undefined) {
        if (pending.size >= maxPlaces) forgetOld(pending, time);
        if (pending.size >= maxPlaces) return 0;
        entry = { count: 0, nextAt: time };
        pending.set(place, entry);
      }
      entry.count += 1;
      if (time < entry.nextAt) return 0;
      const { count } = entry;
      entry.count = 0;
      entry.nextAt = time + intervalMs;
      return count;
    },
  };
}

function forgetOld(places: Map<string, { nextAt: number }>, time: number): void {
  for (const [place, { nextAt }] of places) if (time >= nextAt) places.delete(place);
}

/** Where this file is, and where it was made: so frames are named with --enable-source-maps. */
const ownFolders = [new URL(".", import.meta.url), new URL("../src/", import.meta.url)];
const ownPlaces: readonly string[] = ownFolders.flatMap(({ href, pathname }) => [
  href,
  decodeURIComponent(pathname),
]);

function isOwn(frame: string): boolean {
  return ownPlaces.some((place) => frame.startsWith(place) && !frame.includes("/", place.length));
}

/** The application's own frame if there is one, else the first that is neither Node's nor ours. */
function findCallSite(): string | undefined {
  const frames = takeStack()
    .split("\n")
    .map((line) => /(?:^|[\s(])((?:file:|\/|[a-z]:\\|webpack)[^()]*:\d+:\d+)\)?$/i.exec(line)?.[1])
    .filter((frame) => frame !== undefined)
    .filter((frame) => !isOwn(frame));
  return frames.find((frame) => !/[\\/]node_modules[\\/]/.test(frame)) ?? frames[0];
}

function takeStack(): string {
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = stackDepth;
    // An application may have put anything in its place.
    return String(new Error("call site").stack);
  } finally {
    Error.stackTraceLimit = limit;
  }
}
