import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { formatEndpoint } from "../config/config.ts";
import { findConfigFile } from "../config/find-manager.ts";
import { loadConfig } from "../config/load-config.ts";
import { readUpState } from "../config/up-state.ts";
import { startBrowserProxy } from "../developer/browser-proxy.ts";
import { withManager } from "../developer/manager-access.ts";
import { openBrowser } from "../developer/open-browser.ts";
import { defaultRoute, ownerName } from "../developer/owner.ts";
import { keepRoutingKey, requestRoutingKey } from "../developer/routing-key.ts";
import { CliError } from "../errors.ts";
import { shutdownSignal } from "../parts/run-until-signal.ts";

interface BrowserFlags extends ManagerFlags {
  readonly route?: string;
  readonly port?: number;
  readonly print: boolean;
}

/** Opens the system's browser on a local address whose requests carry a route, until Ctrl-C. */
export async function browser(this: CliContext, flags: BrowserFlags, url?: string): Promise<void> {
  const target = targetOf(this, url);
  const route = flags.route ?? defaultRoute(ownerName(undefined, this.env));
  await withManager(this, flags.manager, async ({ client }) => {
    const asked = shutdownSignal(this.process);
    const over = new AbortController();
    const grant = await requestRoutingKey(client, route);
    let { key } = grant;
    const proxy = await startBrowserProxy({ target, route, port: flags.port ?? 0, key: () => key });
    keepRoutingKey({
      client,
      route,
      expiresAt: grant.expiresAt,
      signal: over.signal,
      onKey: (next) => {
        ({ key } = next);
      },
    });
    try {
      const isOpening = !flags.print && (await openBrowser(proxy.url, this.env));
      const shown =
        isOpening || flags.print
          ? proxy.url
          : `${proxy.url}\nNo browser could be started; open this address yourself.`;
      const about = `Its requests go to ${target.origin} and carry route ${route}. Ctrl-C ends it.`;
      print(this, { event: "browser", url: proxy.url, target: target.href, route }, `${shown}\n${about}`);
      await asked;
    } finally {
      over.abort();
      await proxy.close();
    }
  });
}

/** The URL that was given, else the gateway of the last `clew up` or of clew.yaml. Throws E_USAGE. */
function targetOf({ env, cwd }: CliContext, url: string | undefined): URL {
  const text = url ?? readUpState(env)?.gateway ?? configuredGateway(cwd, env);
  if (text === undefined) {
    throw new CliError("E_USAGE", "no gateway is known here", {
      hint: "Say what to open: clew browser http://127.0.0.1:8000/",
    });
  }
  const target = URL.canParse(text) ? new URL(text) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return target;
  throw new CliError("E_USAGE", `not an http or https URL: ${text}`, {
    hint: "Such as http://127.0.0.1:8000/",
  });
}

function configuredGateway(cwd: string, env: CliContext["env"]): string | undefined {
  const file = findConfigFile(cwd);
  const gateway = file === undefined ? undefined : loadConfig(file, env).config.gateway;
  return gateway && `http://${formatEndpoint(gateway.listen)}/`;
}
