import type { JsonValue } from "@clew/context";
import type { AgentInfo, GatewayInfo, PreviewAccess, PreviewVisitor, Replacement } from "@clew/control";
import type { Override, Rule } from "@clew/routing";

/**
 * What the manager keeps in the registry, as JSON, one record per key below `v1/` (the version of this layout):
 *
 * | key | record | ends |
 * |---|---|---|
 * | `v1/sessions/<id>` | {@link SessionRecord} | with the session's lease |
 * | `v1/beats/<session>` | `{}`: written at every sign of life, so that all managers see it | with the session's lease |
 * | `v1/overrides/<id>` | Override; the relay in it is the one at its making, the session's is the valid one | with the session's lease |
 * | `v1/rules/<id>` | Rule | with the session's lease |
 * | `v1/wiretaps/<id>` | Override, whose route may be that of every request | with the session's lease |
 * | `v1/services/<name>` | {@link ServiceRecord} | never |
 * | `v1/previews/<slug>` | {@link PreviewRecord} | swept some days after its end |
 * | `v1/visitors/<slug>` | {@link VisitorsRecord} | swept with its preview's end |
 * | `v1/replaced/<slug>` | {@link ReplacedRecord} | swept with its preview's end |
 * | `v1/gateways/last` | {@link GatewayRecord} | never |
 * | `v1/keys/routing` | {@link KeyRecord} | never |
 * | `v1/secrets/visitors`, `v1/secrets/links` | {@link SecretRecord} | never |
 * | `v1/guards/<service>` | `{}`: bumped by each new override or rule of the service | never |
 */
export interface Records {
  readonly sessions: SessionRecord;
  readonly beats: EmptyRecord;
  readonly overrides: Override;
  readonly rules: Rule;
  readonly wiretaps: Override;
  readonly services: ServiceRecord;
  readonly previews: PreviewRecord;
  readonly visitors: VisitorsRecord;
  readonly replaced: ReplacedRecord;
  readonly gateways: GatewayRecord;
  readonly keys: KeyRecord;
  readonly secrets: SecretRecord;
  readonly guards: EmptyRecord;
}

export type RecordKind = keyof Records;
type EmptyRecord = Readonly<Record<string, never>>;

export interface SessionRecord {
  readonly id: string;
  readonly owner: string;
  readonly host: string;
  readonly openedAt: number;
  readonly epoch: number;
  /** SHA-256 of the token, hex. The token itself is held by the developer's side alone. */
  readonly tokenHash: string;
  /** Id of the registry lease that this and all of the session's records end with. */
  readonly lease: string;
  /** `host:port` of the manager that holds, or last held, the session's *in* connection. */
  readonly relay: string;
  readonly connected: boolean;
}

export interface ServiceRecord {
  readonly name: string;
  readonly ports: AgentInfo["ports"];
  readonly env: AgentInfo["env"];
}

export interface PreviewRecord {
  readonly slug: string;
  readonly route: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The password or token itself is not here. Undefined in what an earlier release wrote: public. */
  readonly access?: PreviewAccess | undefined;
  /** Which link this is: its token is made from it and the managers' secret for links. */
  readonly linkId?: string | undefined;
  /** Undefined in what an earlier release wrote: with the bar. */
  readonly banner?: boolean | undefined;
  readonly ingress?: string | undefined;
  readonly fields?: Readonly<Record<string, JsonValue>> | undefined;
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined;
  readonly revokedVisitors?: readonly string[] | undefined;
  /** When it was revoked, in milliseconds since the epoch. */
  readonly revokedAt?: number | undefined;
}

/** Who visited a preview. */
export interface VisitorsRecord {
  readonly visitors: ReadonlyArray<Omit<PreviewVisitor, "revoked">>;
}

/** What a preview's route has replaced, and nobody ended on purpose: what is missing of it now was lost. */
export interface ReplacedRecord {
  readonly replaced: ReadonlyArray<Omit<Replacement, "reachable">>;
}

export type GatewayRecord = Omit<GatewayInfo, "id">;

/** The key pair that routing keys are signed with. */
export interface KeyRecord {
  readonly keyId: string;
  /** Ed25519, PKCS #8 in PEM. Known to the managers and the registry, told to nobody and never logged. */
  readonly privateKey: string;
  readonly createdAt: number;
}

/** Known to the managers, the registry and those who are to sign with it, and never logged. */
interface SecretRecord {
  /** 32 random bytes in base64url. */
  readonly secret: string;
}

/** The one prefix of everything that the manager keeps. */
export const recordPrefix = "v1/";

/** Kept under this id, so that previews have a URL while no gateway is connected. */
export const lastGateway = "last";

/** The id of the one key pair. */
export const routingKeyPair = "routing";

/** The id of the secret that gateways sign their visitors' cookies with. */
export const visitorSecret = "visitors";

/** The id of the secret that links' tokens are made from. Told to nobody but the managers. */
export const linkSecret = "links";

const kinds: ReadonlySet<string> = new Set<RecordKind>([
  "sessions",
  "beats",
  "overrides",
  "rules",
  "wiretaps",
  "services",
  "previews",
  "visitors",
  "replaced",
  "gateways",
  "keys",
  "secrets",
  "guards",
]);

const secretKinds: ReadonlySet<RecordKind> = new Set<RecordKind>(["keys", "secrets", "previews"]);

/** Ids are percent-encoded, as names of services come from elsewhere and may hold a `/`. */
export function recordKey(kind: RecordKind, id: string): string {
  // Half a surrogate pair has no UTF-8, and would make encodeURIComponent throw.
  const text = Buffer.from(id).toString();
  return `${recordPrefix}${kind}/${encodeURIComponent(text)}`;
}

/** Undefined for a key of another layout, such as one that a newer manager wrote. */
export function parseRecordKey(key: string): { readonly kind: RecordKind; readonly id: string } | undefined {
  const [version, kind, id, rest] = key.split("/");
  if (`${version}/` !== recordPrefix || kind === undefined || id === undefined || rest !== undefined)
    return undefined;
  return kinds.has(kind) ? { kind: kind as RecordKind, id: decodeURIComponent(id) } : undefined;
}

/** The registry holds what managers wrote, so the shape is trusted. Throws a SyntaxError when it is not JSON. */
export function parseRecord<Kind extends RecordKind>(kind: Kind, value: string): Records[Kind] {
  try {
    return JSON.parse(value) as Records[Kind];
  } catch (error) {
    // The parser quotes what it could not read, and errors are logged: here that would be a secret.
    throw secretKinds.has(kind) ? new SyntaxError("A record with a secret is not JSON.") : error;
  }
}

export function formatRecord<Kind extends RecordKind>(_kind: Kind, record: Records[Kind]): string {
  return JSON.stringify(record);
}
