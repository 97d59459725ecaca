import {
  type BelievedKeys,
  type GatewayInfo,
  type ManagerClient,
  type PreviewNotice,
  watchPreviews,
} from "@clew/control";
import type { Logger } from "pino";
import type { PreviewDirectory } from "./visit/preview-directory.ts";
import { usablePreview } from "./visit/visit-plan.ts";

/** Takes over what the manager says, until `signal` aborts. Resolves with the first list. */
export function watchPreviewsOf(options: {
  readonly client: ManagerClient;
  readonly gateway: GatewayInfo;
  readonly previews: PreviewDirectory;
  readonly keys: BelievedKeys;
  useVisitorKey(key: Buffer): void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, gateway, previews, keys, log, signal } = options;
  const use = ({ visitorKey }: PreviewNotice): void => {
    if (visitorKey !== undefined) options.useVisitorKey(Buffer.from(visitorKey, "base64url"));
  };
  return new Promise((resolve) => {
    watchPreviews({
      client,
      gateway,
      signal,
      onKeys(told) {
        keys.use(told);
        log.info(
          { event: "gateway.keys", mode: told.mode, keyIds: Object.keys(told.publicKeys) },
          "The manager says which routing keys are believed.",
        );
      },
      onChange(list, notice) {
        use(notice);
        previews.use(list.map(usablePreview), notice);
        resolve();
        log.debug({ event: "gateway.previews", previews: list.length }, "A new list of previews is in use.");
      },
      onConnection(isUp, error) {
        if (isUp) log.info({ event: "gateway.manager_connected" }, "The manager is connected.");
        else
          log.warn(
            { event: "gateway.manager_lost", err: error },
            "No manager: the last list of previews stays in use.",
          );
      },
    });
  });
}
