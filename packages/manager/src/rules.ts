import { isDeepStrictEqual } from "node:util";
import type { RuleRequest } from "@clew/control";
import { type Condition, checkRule, type Override, type Rule } from "@clew/routing";
import type { Claim } from "./claim.ts";
import type { Core } from "./core.ts";
import { deleteRecord } from "./delete-record.ts";
import { resolveTarget } from "./override-target.ts";
import { overrideUnknown, reachesPort } from "./overrides.ts";
import { randomName } from "./random-name.ts";
import type { SessionRecord } from "./records.ts";
import type { Services } from "./services.ts";
import { ruleAtRelay } from "./tables.ts";

export class Rules {
  readonly #core: Core;
  readonly #services: Services;
  readonly #claim: Claim;

  constructor(core: Core, services: Services, claim: Claim) {
    this.#core = core;
    this.#services = services;
    this.#claim = claim;
  }

  /**
   * Makes a rule, or changes the target of the one that the same session has with the same conditions and priority.
   * Throws `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`, `E_TARGET_…`, `E_RULE_INVALID`, `E_PATTERN_INVALID`, `E_RULE_CONFLICT`, `E_LIMIT`.
   */
  async put(
    session: SessionRecord,
    request: RuleRequest,
    { takeover }: { readonly takeover: boolean },
  ): Promise<Rule> {
    const { clock, log, directory } = this.#core;
    const { service, priority = 0, onFailure = "live" } = request;
    const port = this.#services.resolvePort(service, request.port);
    const target = resolveTarget(request.target, session);
    const conditions = request.conditions.map(withLowerCaseHeader);
    const fault = checkRule({ conditions, priority }, this.#services.trafficOf(service, port));
    if (fault) throw fault;
    const { owner } = session;
    const candidate = (): Rule => {
      const own = this.#find(session.id, { service, port, priority, conditions });
      const id = own?.id ?? randomName();
      const createdAt = own?.createdAt ?? clock.now();
      const common = { id, service, port, owner, createdAt };
      // Nobody's key selects a rule's override; the route's name only says in reports whose it is.
      const override: Override = { ...common, route: `rule-${id}`, target, session: session.id, onFailure };
      return { ...common, priority, conditions, override };
    };
    const rule = await this.#claim({ service, session, takeover, candidate });
    log.info({ event: "rule.put", rule: rule.id, service, port, owner }, "A rule was made.");
    return ruleAtRelay(directory.view, rule);
  }

  /** With a session: only its own. Throws `E_OVERRIDE_UNKNOWN`. */
  async delete(id: string, session: SessionRecord | undefined): Promise<void> {
    const rule = this.#core.directory.view.rules.byId.get(id);
    const isTheirs = session === undefined || rule?.override.session === session.id;
    if (!rule || !isTheirs) throw overrideUnknown("rule", id, session);
    await deleteRecord(this.#core, "rules", id);
    this.#core.log.info(
      { event: "rule.delete", rule: id, owner: rule.owner, bySession: session?.id },
      "A rule was deleted.",
    );
  }

  /** The oldest first. */
  list({ service }: { readonly service?: string | undefined }): readonly Rule[] {
    const { view } = this.#core.directory;
    const all = service === undefined ? [...view.rules.byId.values()] : view.rules.ofService(service);
    return all
      .map((rule) => ruleAtRelay(view, rule))
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** Whether one of the session's sends requests to this port of the developer's machine. */
  offers(session: string, port: number): boolean {
    const { rules } = this.#core.directory.view;
    return rules.ofSession(session).some(({ override }) => reachesPort(override, port));
  }

  /** The session's rule that says the same, but perhaps for its target. */
  #find(
    session: string,
    wanted: Pick<Rule, "service" | "port" | "priority" | "conditions">,
  ): Rule | undefined {
    return this.#core.directory.view.rules
      .ofSession(session)
      .find(({ service, port, priority, conditions }) =>
        isDeepStrictEqual({ service, port, priority, conditions }, wanted),
      );
  }
}

/** Header names compare in lower case (RFC 9110 §5.1), which is how routing has them. */
function withLowerCaseHeader(condition: Condition): Condition {
  return condition.on === "header" && condition.name !== undefined
    ? { ...condition, name: condition.name.toLowerCase() }
    : condition;
}
