import type { JsonValue } from "@clew/wire";
import type { RoutingKeys } from "./types.ts";

/** One service that a preview's route replaces, or replaced until the machine it went to was lost. */
export interface Replacement {
  readonly service: string;
  readonly owner: string;
  /** `tunnel`: a port of a developer's machine; `address`: another running instance. */
  readonly kind: "tunnel" | "address";
  /** False while the developer's machine is away, and after it was lost. Of an address nobody here knows: true. */
  readonly reachable: boolean;
}

/** Who may visit a preview, as its gateways check it. The secrets themselves are kept nowhere. */
export type PreviewAccess =
  | { readonly kind: "public" }
  /** See {@link hashLinkToken}. */
  | { readonly kind: "link"; readonly tokenHash: string }
  /** See {@link hashPassword}. */
  | { readonly kind: "password"; readonly salt: string; readonly hash: string };

/** Who may visit, as the preview's maker says it: the only message that a password travels in. */
export type PreviewAccessRequest =
  | { readonly kind: "public" }
  /** The manager makes the token. Made again, the preview keeps its link, unless it is to have a new one. */
  | { readonly kind: "link"; readonly renew?: boolean | undefined }
  | { readonly kind: "password"; readonly password: string };

/** What everybody may know of a preview. */
interface PreviewFacts {
  /** First label of the preview's host name. Not guessable unless a name was chosen. */
  readonly slug: string;
  readonly route: string;
  readonly owner: string;
  /** Undefined until a gateway is connected. Without the token of a link. */
  readonly url?: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Remaining time when this was sent: receivers count it down by their own clock. */
  readonly remainingMs: number;
  /** Whether its pages carry the bar. */
  readonly banner: boolean;
  /** Name of the gateway's ingress that it leads to. Undefined: the gateway's own. */
  readonly ingress?: string | undefined;
  /** Custom fields that its visitors' requests carry besides the route. */
  readonly fields?: Readonly<Record<string, JsonValue>> | undefined;
  /** Headers that its visitors' requests carry, names in lower case. */
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined;
  /** By service and owner, in the order of their names. Kept current. */
  readonly replaces: readonly Replacement[];
}

/** A preview as people see it. */
export interface PreviewInfo extends PreviewFacts {
  readonly access: PreviewAccess["kind"];
}

/** A preview as its maker gets it. */
export interface PreviewGrant extends PreviewInfo {
  /** The routing key that its visitors carry. Expires with the preview. */
  readonly key: string;
  /** For access `link`: what the address takes as `?clew-visit=…`. It is in no list, no log and no record. */
  readonly linkToken?: string | undefined;
}

/** A preview as gateways need it. */
export interface Preview extends PreviewFacts {
  /** Expires with the preview. */
  readonly key: string;
  readonly access: PreviewAccess;
}

/** A preview that is over, remembered so that its visitors are told how it ended. */
export interface EndedPreview {
  readonly slug: string;
  readonly owner: string;
  readonly how: "expired" | "revoked";
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** One visit, as a gateway saw it. */
export interface PreviewVisit {
  readonly slug: string;
  /** Id of the visitor, which the gateway put into its cookie. */
  readonly visitor: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly path: string;
  readonly userAgent?: string | undefined;
}

/** All visits of one visitor to one preview. */
export interface PreviewVisitor {
  readonly visitor: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly visits: number;
  /** Path of the last visit. */
  readonly path: string;
  readonly userAgent?: string | undefined;
  readonly revoked: boolean;
}

export interface PreviewEvent {
  readonly kind: "snapshot";
  readonly previews: readonly Preview[];
  /** An older manager sends none of these. */
  readonly ended?: readonly EndedPreview[] | undefined;
  /** Slug → ids of visitors who may visit no more. */
  readonly revokedVisitors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Secret that all gateways of the environment sign their visitors' cookies with: 32 bytes in base64url. */
  readonly visitorKey?: string | undefined;
  /** As in `TableEvent`. */
  readonly keys?: RoutingKeys | undefined;
}
