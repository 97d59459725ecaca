import { type Clock, monotonicClock } from "./clock.ts";
import { Expiry } from "./expiry.ts";
import { guarded, keepWatching } from "./keep-watching.ts";
import { createKeyWatch } from "./key-watch.ts";
import type { ManagerClient } from "./manager-client.ts";
import type { EndedPreview, Preview, PreviewEvent } from "./preview-types.ts";
import type { GatewayInfo, RoutingKeys } from "./types.ts";

/** What a gateway is told besides the previews that live. */
export interface PreviewNotice {
  /** Those that expired since by this machine's own clock are among them. */
  readonly ended: readonly EndedPreview[];
  readonly revokedVisitors: Readonly<Record<string, readonly string[]>>;
  /** Undefined with a manager that makes none: then no visitor can be remembered. */
  readonly visitorKey: string | undefined;
}

export interface PreviewWatcher {
  readonly client: ManagerClient;
  readonly gateway: GatewayInfo;
  /** Gets all previews that have not expired, each time. Not called before they are known. */
  readonly onChange: (previews: readonly Preview[], notice: PreviewNotice) => void;
  /** Gets the routing keys to believe, before the first list and before that of any later change. */
  readonly onKeys?: ((keys: RoutingKeys) => void) | undefined;
  /** Called when the connection is there, is gone, or stays away for another reason. */
  readonly onConnection?: ((up: boolean, error?: unknown) => void) | undefined;
  /** The only end. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** As `watchTable`, for previews: each ends by this machine's own clock, manager or not (I2). Never throws. */
export function watchPreviews(watcher: PreviewWatcher): void {
  const { client, gateway, signal, clock = monotonicClock, random } = watcher;
  const onChange = guarded(watcher.onChange);
  const useKeys = createKeyWatch(guarded(watcher.onKeys ?? (() => {})));
  let told: PreviewEvent = { kind: "snapshot", previews: [] };
  const publish = (): void => {
    const { previews, ended = [], revokedVisitors = {}, visitorKey } = told;
    const expired = previews.filter(({ slug }) => expiry.hasEnded(slug)).map(asExpired);
    onChange(
      previews.filter(({ slug }) => !expiry.hasEnded(slug)),
      { ended: [...ended, ...expired], revokedVisitors, visitorKey },
    );
  };
  const expiry = new Expiry(clock, publish);
  signal.addEventListener("abort", () => expiry.stop(), { once: true });
  void keepWatching({
    open: (connection) => client.previews.watch({ gateway }, { signal: connection }),
    onEvent(event) {
      useKeys(event);
      told = event;
      expiry.retain(new Set());
      for (const { slug, remainingMs } of event.previews) expiry.set(slug, remainingMs);
      publish();
      expiry.arm();
      return true;
    },
    onConnection: guarded(watcher.onConnection ?? (() => {})),
    signal,
    clock,
    random,
  });
}

function asExpired({ slug, owner, expiresAt }: Preview): EndedPreview {
  return { slug, owner, how: "expired", at: expiresAt };
}
