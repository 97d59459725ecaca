import type {
  ManagerClient,
  OverrideGrant,
  OverrideRequest,
  RuleRequest,
  SessionProof,
  WiretapCounts,
  WiretapRequest,
} from "@clew/control";
import type { Override, Rule } from "@clew/routing";

/** What a developer's session asks the manager for and keeps: an override on a route, a rule, or the like. */
export interface Claim<Grant extends { readonly override: Override } = { readonly override: Override }> {
  readonly service: string;
  /** Port on this machine that gets the traffic. */
  readonly port: number;
  make(session: SessionProof): Promise<Grant>;
  /** Throws when it is gone already. */
  unmake(session: SessionProof, grant: Grant): Promise<void>;
  /** Whether the manager still has it. */
  isThere(session: string, grant: Grant): Promise<boolean>;
}

interface TunnelTarget {
  readonly target: { readonly kind: "tunnel"; readonly port: number };
}

export function overrideClaim(
  client: ManagerClient,
  override: OverrideRequest & TunnelTarget,
  takeover: boolean,
): Claim<OverrideGrant> {
  return {
    service: override.service,
    port: override.target.port,
    make: ({ session, token }) => client.overrides.put({ session, token, override, takeover }),
    async unmake({ session, token }, { override: { id } }) {
      await client.overrides.delete({ session, token, id });
    },
    async isThere(session, { override: { id } }) {
      const { overrides } = await client.overrides.list({ session });
      return overrides.some((other) => other.id === id);
    },
  };
}

export interface RuleGrant {
  readonly rule: Rule;
  readonly override: Override;
}

export function ruleClaim(
  client: ManagerClient,
  rule: RuleRequest & TunnelTarget,
  takeover: boolean,
): Claim<RuleGrant> {
  return {
    service: rule.service,
    port: rule.target.port,
    async make({ session, token }) {
      const made = await client.rules.put({ session, token, rule, takeover });
      return { rule: made.rule, override: made.rule.override };
    },
    async unmake({ session, token }, { rule: { id } }) {
      await client.rules.delete({ session, token, id });
    },
    async isThere(_session, { rule: { id } }) {
      const { rules } = await client.rules.list({ service: rule.service });
      return rules.some((other) => other.id === id);
    },
  };
}

export interface WiretapGrant {
  readonly override: Override;
}

/** `onCounts` hears what became of the copies, each time the manager is asked. */
export function wiretapClaim(
  client: ManagerClient,
  wiretap: WiretapRequest & TunnelTarget,
  onCounts: (counts: WiretapCounts) => void,
): Claim<WiretapGrant> {
  return {
    service: wiretap.service,
    port: wiretap.target.port,
    async make({ session, token }) {
      return { override: (await client.wiretaps.put({ session, token, wiretap })).wiretap };
    },
    async unmake({ session, token }, { override: { id } }) {
      await client.wiretaps.delete({ session, token, id });
    },
    async isThere(session, { override: { id } }) {
      const { wiretaps } = await client.wiretaps.list({ session });
      const own = wiretaps.find((other) => other.wiretap.id === id);
      if (own !== undefined) onCounts(own);
      return own !== undefined;
    },
  };
}
