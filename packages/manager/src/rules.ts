import type { RuleRequest } from "@clew/control";
import { type Condition, checkRule, type Rule } from "@clew/routing";
import type { Claim } from "./claim.ts";
import type { Core } from "./core.ts";
import { deleteRecord } from "./delete-record.ts";
import { resolveTarget } from "./override-target.ts";
import { overrideUnknown, reachesPort } from "./overrides.ts";
import { randomName } from "./random-name.ts";
import type { SessionRecord } from "./records.ts";
import type { Services } from "./services.ts";
import { ruleAtRelay } from "./tables.ts";

export interface Rules {
  /**
   * Makes a rule, or changes the target of the one that the same session has with the same conditions and priority.
   * Throws `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`, `E_TARGET_…`, `E_RULE_INVALID`, `E_PATTERN_INVALID`, `E_RULE_CONFLICT`, `E_LIMIT`.
   */
  put(session: SessionRecord, request: RuleRequest, options: { readonly takeover: boolean }): Promise<Rule>;
  /** With a session: only its own. Throws `E_OVERRIDE_UNKNOWN`. */
  delete(id: string, session: SessionRecord | undefined): Promise<void>;
  list(filter: { readonly service?: string | undefined }): readonly Rule[];
  /** Whether one of the session's sends requests to this port of the developer's machine. */
  offers(session: string, port: number): boolean;
}

export function createRules(core: Core, services: Services, claim: Claim): Rules {
  const { clock, log } = core;
  const { view } = core.directory;

  return {
    async put(session, request, { takeover }) {
      const { service } = request;
      const port = services.resolvePort(service, request.port);
      const target = resolveTarget(request.target, session);
      const priority = request.priority ?? 0;
      const conditions = request.conditions.map(withLowerCaseHeader);
      const fault = checkRule({ conditions, priority });
      if (fault) throw fault;
      const sameConditions = JSON.stringify(conditions);
      const rule = await claim<Rule>({
        service,
        session,
        takeover,
        candidate() {
          const own = view.rules
            .ofSession(session.id)
            .find(
              (other) =>
                other.service === service &&
                other.port === port &&
                other.priority === priority &&
                JSON.stringify(other.conditions) === sameConditions,
            );
          const id = own?.id ?? randomName();
          const createdAt = own?.createdAt ?? clock.now();
          const common = { id, service, port, owner: session.owner, createdAt };
          const onFailure = request.onFailure ?? "live";
          // Nobody's key selects a rule's override; the route's name only says in reports whose it is.
          const override = { ...common, route: `rule-${id}`, target, session: session.id, onFailure };
          return { ...common, priority, conditions, override };
        },
      });
      log.info({ event: "rule.put", rule: rule.id, service, port, owner: session.owner }, "A rule was made.");
      return ruleAtRelay(view, rule);
    },

    async delete(id, session) {
      const rule = view.rules.byId.get(id);
      if (!rule || (session && rule.override.session !== session.id))
        throw overrideUnknown("rule", id, session);
      await deleteRecord(core, "rules", id);
      log.info(
        { event: "rule.delete", rule: id, owner: rule.owner, bySession: session?.id },
        "A rule was deleted.",
      );
    },

    list({ service }) {
      const candidates =
        service === undefined ? [...view.rules.byId.values()] : view.rules.ofService(service);
      return candidates
        .map((rule) => ruleAtRelay(view, rule))
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },

    offers: (session, port) =>
      view.rules.ofSession(session).some(({ override }) => reachesPort(override, port)),
  };
}

/** Header names compare in lower case (RFC 9110 §5.1), which is how routing has them. */
function withLowerCaseHeader(condition: Condition): Condition {
  return condition.on === "header" && condition.name !== undefined
    ? { ...condition, name: condition.name.toLowerCase() }
    : condition;
}
