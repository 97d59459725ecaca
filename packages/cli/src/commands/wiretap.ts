import { styleText } from "node:util";
import type { RoutingKeyGrant, WiretapCounts } from "@clew/control";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { type WiretapGrant, wiretapClaim } from "../developer/claim.ts";
import { type Held, hold, say } from "../developer/hold.ts";
import { type ManagerAccess, withManager } from "../developer/manager-access.ts";
import { defaultRoute, ownerName } from "../developer/owner.ts";
import { describeKeyLifetime, keepRoutingKey, requestRoutingKey } from "../developer/routing-key.ts";
import { CliError } from "../errors.ts";
import { layOut } from "../output/table.ts";
import { environmentRows } from "./environment-rows.ts";

export interface WiretapFlags extends ManagerFlags {
  readonly port: number;
  readonly servicePort?: string;
  readonly route?: string;
  readonly all: boolean;
  readonly owner?: string;
  readonly envFile?: string;
}

/** Has a copy of a service's requests sent to this machine; what it answers is ignored. */
export function wiretap(
  this: CliContext,
  flags: WiretapFlags,
  service: string,
  ...command: string[]
): Promise<void> {
  return withManager(this, flags.manager, (access) => runWiretap(this, access, flags, service, command));
}

async function runWiretap(
  cli: CliContext,
  access: ManagerAccess,
  flags: WiretapFlags,
  service: string,
  command: readonly string[],
): Promise<void> {
  const { client } = access;
  if (flags.all && flags.route !== undefined) {
    throw new CliError("E_USAGE", "--all takes every request, and --route those of one route: choose one");
  }
  const owner = ownerName(flags.owner, cli.env);
  const described = await client.services.describe({ service });
  const route = flags.all ? undefined : (flags.route ?? defaultRoute(owner));
  const request = {
    service,
    ...(flags.servicePort === undefined ? {} : { port: flags.servicePort }),
    ...(route === undefined ? {} : { route }),
    target: { kind: "tunnel", port: flags.port },
  } as const;
  const counts = new Counts(cli);
  let key: RoutingKeyGrant | undefined;
  await hold(cli, access, {
    claim: wiretapClaim(client, request, (now) => counts.tell(now)),
    owner,
    described,
    command,
    envFile: flags.envFile,
    words: { name: "wiretap", meanwhile: "copies are dropped" },
    async beforeStart() {
      if (route !== undefined) key = await requestRoutingKey(client, route);
    },
    onReady(held) {
      announce(cli, held, { service, port: flags.port, route, key });
      if (route === undefined) return;
      const { signal } = held;
      keepRoutingKey({
        client,
        route,
        expiresAt: key?.expiresAt,
        signal,
        onKey: (grant) => tellKey(cli, grant),
      });
    },
  });
  counts.sum();
}

interface Announced {
  readonly service: string;
  readonly port: number;
  readonly route: string | undefined;
  readonly key: RoutingKeyGrant | undefined;
}

function announce(
  cli: CliContext,
  { session, env }: Held<WiretapGrant>,
  { service, port, route, key }: Announced,
): void {
  const { override } = session.grant;
  const lifetime = describeKeyLifetime(key?.expiresAt);
  const rows = [
    ["copies of", route === undefined ? "every request" : `requests on route ${route}`],
    ...(key === undefined ? [] : [["routing key", `clew-route=${key.key}`]]),
    ...(lifetime === undefined ? [] : [["", lifetime]]),
    ["answers", "are ignored; but what yours calls or writes happens a second time"],
    ...environmentRows(env),
  ];
  const title = `${styleText("bold", service)} ⇢ port ${port} on this machine (a copy, owner ${override.owner})`;
  const value = {
    event: "wiretap",
    service,
    port,
    route,
    key: key?.key,
    keyExpiresAt: key?.expiresAt,
    wiretap: override,
    env,
  };
  print(
    cli,
    value,
    `\n${title}\n\n${layOut(rows)}\n\nNobody waits for the copies. Ctrl-C ends the wiretap.\n`,
  );
}

function tellKey(cli: CliContext, { key }: RoutingKeyGrant): void {
  say(cli, "key", `a new routing key: clew-route=${key}`);
}

const whyDropped: Readonly<Record<NonNullable<WiretapCounts["lastDrop"]>, string>> = {
  unreachable: "this machine could not be reached, or nothing listens there",
  slow: "this machine takes them too slowly",
  busy: "too many are still being answered here",
  broken: "this machine broke off while they were sent",
};

/** Says when copies were dropped, and at the end how many came. */
class Counts {
  readonly #cli: CliContext;
  #last: WiretapCounts = { copied: 0, dropped: 0 };

  constructor(cli: CliContext) {
    this.#cli = cli;
  }

  tell(now: WiretapCounts): void {
    const more = now.dropped - this.#last.dropped;
    this.#last = now;
    if (more <= 0) return;
    const copies = more === 1 ? "1 copy was dropped" : `${more} copies were dropped`;
    say(this.#cli, "wiretap.dropped", `${copies}: ${whyDropped[now.lastDrop ?? "broken"]}`);
  }

  sum(): void {
    const { copied, dropped } = this.#last;
    say(this.#cli, "wiretap.over", `${copied} requests were copied, ${dropped} copies were dropped`);
  }
}
