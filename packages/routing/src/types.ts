/** Through a tunnel to a developer's machine, or to another running instance (a fork). */
export type Target =
  | {
      readonly kind: "tunnel";
      readonly session: string;
      /** The developer's local port. */
      readonly port: number;
      /** `host:port` of the manager that holds the session. */
      readonly relay: string;
    }
  | {
      readonly kind: "address";
      /** Origin of the fork, such as `http://127.0.0.1:9101`. Must be an internal destination. */
      readonly url: string;
    };

/** What happens to a request whose override cannot be reached: the live service answers it, or it fails. */
export type OnFailure = "live" | "error";

/** In the place of a wiretap's route: every request, whatever route it is on. No route can have this name. */
export const everyRoute = "*";

export interface Override {
  readonly id: string;
  /** Of a wiretap: also {@link everyRoute}. */
  readonly route: string;
  readonly service: string;
  /** Name of the service's port, such as `http`. */
  readonly port: string;
  readonly target: Target;
  readonly owner: string;
  /** The session whose lease this override ends with. Absent: it stays until it is deleted. */
  readonly session?: string | undefined;
  /** Milliseconds since the epoch, by the manager's clock. Orders rules; no decision compares it with "now". */
  readonly createdAt: number;
  readonly onFailure: OnFailure;
}

/** Exactly one of `equals`, `prefix` and `pattern` is set. */
export interface Condition {
  /** `client`: the address of whoever made the connection, which on a port of raw TCP is all there is to look at. */
  readonly on: "field" | "header" | "path" | "method" | "client";
  /** Name of the field or header (headers: lower case). Absent for the others. */
  readonly name?: string | undefined;
  /** On `client`: an IP address. */
  readonly equals?: string | undefined;
  /** On `client`: a network, such as `10.0.0.0/8`. */
  readonly prefix?: string | undefined;
  /** A regular expression, anchored at both ends. */
  readonly pattern?: string | undefined;
}

export interface Rule {
  readonly id: string;
  readonly service: string;
  readonly port: string;
  readonly owner: string;
  /** Higher wins. Default 0. */
  readonly priority: number;
  /** All must hold. None at all, which only a rule for a port of raw TCP may have, is every client. */
  readonly conditions: readonly Condition[];
  /** The override that the rule selects; it travels inside the rule, so that a table is whole by itself. */
  readonly override: Override;
  readonly createdAt: number;
}

/** All that an agent needs to know to route one service's requests. */
export interface Table {
  readonly revision: number;
  readonly service: string;
  readonly overrides: readonly Override[];
  readonly rules: readonly Rule[];
  readonly wiretaps: readonly Override[];
}

/** What became of the routing key before the decision: verification and clocks stay outside of `decide`. */
export type KeyStatus =
  | "none"
  /** A plain route name, accepted in open mode. */
  | "open"
  | "valid"
  | "expired"
  /** Malformed, wrongly signed, from another environment, or plain where open mode is off. */
  | "invalid";

/** Why a request goes where it goes. Closed set; docs/reference/decisions.md explains each. */
export type Reason =
  | "route"
  | "rule"
  | "no-match"
  /** The key's route has no override for this service and port. */
  | "route-elsewhere"
  | "key-expired"
  | "key-invalid"
  | "health-check";

export interface Decision {
  readonly destination: "live" | "override";
  readonly reason: Reason;
  readonly route?: string | undefined;
  readonly rule?: Rule | undefined;
  readonly override?: Override | undefined;
  readonly wiretaps: readonly Override[];
}

/** What `decide` may ask of a request. Header names are lower case. */
export interface RoutableRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  header(name: string): string | undefined;
  /** A field as routing compares it: a string as it is, any other JSON value as its compact JSON text. */
  field(name: string): string | undefined;
  /** Address of whoever made the connection, where it is known. */
  readonly client?: string | undefined;
  readonly key: { readonly status: KeyStatus; readonly route?: string | undefined };
}
