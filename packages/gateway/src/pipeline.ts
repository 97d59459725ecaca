import { type Context, type RoutingKeyMode, routeField } from "@clew/context";
import type { Plan, Route, Upstream } from "@clew/proxy";
import { type ReportSink, reportExplained } from "./explanation.ts";
import { forwardedHeaderNames, forwardedHeaders } from "./forwarded-headers.ts";
import { acceptOutsideContext } from "./outside-context.ts";
import type { PreviewDirectory } from "./preview-directory.ts";
import { parsePreviewHost } from "./preview-host.ts";
import { previewPage } from "./preview-page.ts";

export interface PipelineOptions {
  readonly gateway: string;
  readonly previewsDomain: string;
  readonly previews: PreviewDirectory;
  readonly accept: readonly string[];
  readonly ingress: Upstream;
  readonly report: ReportSink;
  /** Which routing keys are believed now. */
  keys(): RoutingKeyMode;
}

/** Never taken from outside. The trace is: it selects nothing, and losing it would hide who waits for whom. */
const untrustedHeaders: readonly string[] = [
  "baggage",
  "x-forrst-caller",
  "clew-edge",
  ...forwardedHeaderNames,
];

/** The life of a request in the gateway, stage by stage. The proxy has read its head, and forwards it by the plan returned. */
export function createPipeline(options: PipelineOptions): Route {
  const { previewsDomain, previews, ingress, accept } = options;

  return (head) => {
    const arrivedAtMs = performance.now();

    // Preview? By host name alone, so that cookies, redirects and WebSockets of the page stay within it.
    // The proxy refuses a target that names another host.
    const authority = head.header("host") ?? "";
    const slug = parsePreviewHost(authority, previewsDomain);
    const finding = slug === undefined ? undefined : previews.find(slug);
    if (finding !== undefined && finding.kind !== "live") return previewPage(finding.kind, head);

    // Context from outside: stripped, but for what is accepted or proven (I5).
    const keys = options.keys();
    const outside = acceptOutsideContext(head, { accept, keys });

    // The preview's routing key, in place of any other; it goes first in the header, where no limit cuts it off.
    const context = finding === undefined ? outside : outside.with({ [routeField]: finding.preview.key });

    // Forward. The host stays as the client sent it. `clew-edge` tells services that this came from outside.
    const plan: Plan = {
      upstream: ingress,
      requestHeaders: {
        remove: untrustedHeaders,
        set: [...contextHeaders(context), ["clew-edge", "1"], ...forwardedHeaders(head, authority)],
      },
    };

    // Report, where an explanation is wanted.
    const done = reportExplained({ ...options, keys, head, context, arrivedAtMs });
    return done === undefined ? plan : { ...plan, done };
  };
}

function contextHeaders(context: Context): Array<readonly [name: string, value: string]> {
  return context.size === 0 ? [] : [["baggage", context.baggage]];
}
