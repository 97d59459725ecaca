import {
  type Application,
  buildApplication,
  buildCommand,
  buildRouteMap,
  help,
  text_en,
  version,
} from "@stricli/core";
import type { CliContext } from "./cli-context.ts";
import { parseDuration, parsePort } from "./commands/parsers.ts";
import { describeError, errorAsJson, exitCodeOf } from "./errors.ts";
import { packageVersion } from "./package-version.ts";
import { partNames } from "./parts/selection.ts";

// Each command's code is loaded only when it runs: `clew --help` stays quick.

const manager = {
  kind: "parsed",
  parse: String,
  optional: true,
  brief: "address of the manager (default: found by itself)",
  placeholder: "URL",
} as const;
const owner = {
  kind: "parsed",
  parse: String,
  optional: true,
  brief: "whose it is (default: CLEW_OWNER, else your user name)",
  placeholder: "NAME",
} as const;
const json = {
  kind: "boolean",
  default: false,
  withNegated: false,
  brief: "print JSON, for programs",
} as const;
const serviceArgument = { brief: "name of the service", parse: String, placeholder: "SERVICE" } as const;

const partFlags = {
  config: {
    kind: "parsed",
    parse: String,
    optional: true,
    brief: "clew.yaml to use (default: the nearest one)",
    placeholder: "FILE",
  },
  printConfig: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "print every setting and where it comes from, and stop",
  },
  verbose: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "log more than what someone should look at",
  },
  json,
} as const;

const examples = (...lines: string[]): string => `EXAMPLES\n${lines.map((line) => `  ${line}`).join("\n")}`;

const up = buildCommand({
  loader: async () => (await import("./commands/up.ts")).up,
  parameters: {
    flags: {
      ...partFlags,
      except: {
        kind: "enum",
        values: partNames,
        variadic: true,
        optional: true,
        brief: "leave a part out: it runs elsewhere",
      },
    },
  },
  docs: {
    brief: "Run everything in clew.yaml: services, agents, gateway and manager",
    fullDescription: examples(
      "clew up",
      "clew up --config examples/shop/clew.yaml",
      "clew up --except manager",
    ),
  },
});

const managerCommand = buildCommand({
  loader: async () => (await import("./commands/up.ts")).manager,
  parameters: { flags: partFlags },
  docs: { brief: "Run the manager alone", fullDescription: examples("clew manager --config clew.yaml") },
});

const gateway = buildCommand({
  loader: async () => (await import("./commands/up.ts")).gateway,
  parameters: { flags: partFlags },
  docs: { brief: "Run the gateway alone", fullDescription: examples("clew gateway --config clew.yaml") },
});

const agent = buildCommand({
  loader: async () => (await import("./commands/up.ts")).agent,
  parameters: {
    flags: partFlags,
    positional: { kind: "array", parameter: { ...serviceArgument, brief: "services (default: all)" } },
  },
  docs: { brief: "Run the agents of services", fullDescription: examples("clew agent orders", "clew agent") },
});

const intercept = buildCommand({
  loader: async () => (await import("./commands/intercept.ts")).intercept,
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: parsePort,
        brief: "port on this machine that gets the requests",
        placeholder: "PORT",
      },
      servicePort: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "port of the service (default: its only one)",
        placeholder: "NAME",
      },
      route: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "route to join (default: after the owner)",
        placeholder: "NAME",
      },
      owner,
      preview: { kind: "boolean", default: false, withNegated: false, brief: "make a preview URL as well" },
      previewName: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "name in the preview URL (default: not guessable)",
        placeholder: "NAME",
      },
      takeover: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "replace somebody's override whose machine is away",
      },
      onFailure: {
        kind: "enum",
        values: ["live", "error"],
        default: "live",
        brief: "when this machine cannot be reached: the live service answers, or an error",
      },
      envFile: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "write the service's environment to this file",
        placeholder: "FILE",
      },
      manager,
      json,
    },
    positional: {
      kind: "array",
      minimum: 1,
      parameter: {
        brief: "the service, then after -- the command that runs yours",
        parse: String,
        placeholder: "SERVICE [-- COMMAND]",
      },
    },
  },
  docs: {
    brief: "Send the requests of a service that carry your routing key to this machine",
    fullDescription: `The command gets the service's environment: PORT, CLEW_SERVICE, and the addresses of the other
services, which it reaches through the tunnel. Everybody else's requests go to the live service.

${examples(
  "clew intercept pricing --port 4005 -- node pricing.js",
  "clew intercept pricing --port 4005 --preview -- npm run dev",
  "clew intercept pricing --port 4005 --env-file .env.clew   (and start the service yourself)",
)}`,
  },
});

const list = buildCommand({
  loader: async () => (await import("./commands/list.ts")).list,
  parameters: { flags: { manager, json } },
  docs: {
    brief: "List services, and who has overridden what",
    fullDescription: examples("clew list", "clew list --json"),
  },
});

const status = buildCommand({
  loader: async () => (await import("./commands/list.ts")).status,
  parameters: { flags: { manager, json } },
  docs: {
    brief: "Show the manager that is used, and what it holds",
    fullDescription: examples("clew status"),
  },
});

const leave = buildCommand({
  loader: async () => (await import("./commands/leave.ts")).leave,
  parameters: {
    flags: {
      route: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "only the override on this route",
        placeholder: "NAME",
      },
      owner,
      manager,
      json,
    },
    positional: { kind: "tuple", parameters: [serviceArgument] },
  },
  docs: {
    brief: "End your override of a service",
    fullDescription: examples("clew leave pricing", "clew leave pricing --route demo"),
  },
});

const preview = buildRouteMap({
  routes: {
    create: buildCommand({
      loader: async () => (await import("./commands/preview.ts")).previewCreate,
      parameters: {
        flags: {
          route: {
            kind: "parsed",
            parse: String,
            optional: true,
            brief: "route that its visitors carry (default: after the owner)",
            placeholder: "NAME",
          },
          name: {
            kind: "parsed",
            parse: String,
            optional: true,
            brief: "name in the URL (default: not guessable)",
            placeholder: "NAME",
          },
          expires: {
            kind: "parsed",
            parse: parseDuration,
            optional: true,
            brief: "how long it works, such as 24h (the default) or 7d",
            placeholder: "TIME",
          },
          owner,
          manager,
          json,
        },
      },
      docs: {
        brief: "Make a URL whose visitors carry a route",
        fullDescription: examples("clew preview create --route demo --name demo --expires 7d"),
      },
    }),
    list: buildCommand({
      loader: async () => (await import("./commands/preview.ts")).previewList,
      parameters: {
        flags: {
          route: {
            kind: "parsed",
            parse: String,
            optional: true,
            brief: "only those of this route",
            placeholder: "NAME",
          },
          manager,
          json,
        },
      },
      docs: {
        brief: "List previews",
        fullDescription: examples("clew preview list", "clew preview list --route demo"),
      },
    }),
    remove: buildCommand({
      loader: async () => (await import("./commands/preview.ts")).previewRemove,
      parameters: {
        flags: { manager, json },
        positional: {
          kind: "tuple",
          parameters: [
            { brief: "name of the preview, as `list` shows it", parse: String, placeholder: "PREVIEW" },
          ],
        },
      },
      docs: { brief: "End a preview at once", fullDescription: examples("clew preview remove demo") },
    }),
  },
  docs: { brief: "Make, list and remove preview URLs" },
});

const urlArgument = { brief: "http or https URL", parse: String, placeholder: "URL" } as const;

const curl = buildCommand({
  loader: async () => (await import("./commands/curl.ts")).curl,
  parameters: {
    flags: {
      route: { kind: "parsed", parse: String, brief: "route that the request carries", placeholder: "NAME" },
      request: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "method (default: GET, or POST with --data)",
        placeholder: "METHOD",
      },
      header: {
        kind: "parsed",
        parse: String,
        variadic: true,
        optional: true,
        brief: "a header; may be repeated",
        placeholder: "LINE",
      },
      data: { kind: "parsed", parse: String, optional: true, brief: "body to send", placeholder: "TEXT" },
      include: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "show the answer's status and headers, too",
      },
      json,
    },
    positional: { kind: "tuple", parameters: [urlArgument] },
    aliases: { X: "request", H: "header", d: "data", i: "include" },
  },
  docs: {
    brief: "Send one request that carries a route",
    fullDescription: examples(
      "clew curl --route demo http://127.0.0.1:8000/",
      "clew curl --route demo -i -H 'accept: text/html' http://127.0.0.1:8000/",
    ),
  },
});

const explain = buildCommand({
  loader: async () => (await import("./commands/explain.ts")).explain,
  parameters: {
    flags: {
      route: {
        kind: "parsed",
        parse: String,
        optional: true,
        brief: "route that the request carries",
        placeholder: "NAME",
      },
      manager,
      json,
    },
    positional: { kind: "tuple", parameters: [urlArgument] },
  },
  docs: {
    brief: "Send one request and show what every agent decided about it, and why",
    fullDescription: examples(
      "clew explain http://127.0.0.1:8000/",
      "clew explain --route demo http://127.0.0.1:8000/",
    ),
  },
});

const routes = buildRouteMap({
  routes: {
    up,
    intercept,
    list,
    status,
    leave,
    preview,
    curl,
    explain,
    manager: managerCommand,
    agent,
    gateway,
  },
  docs: {
    brief: "Carry a request's context through every service it touches, and route the request by it",
    fullDescription: `Every command takes --help, with an example, and --json.

EXIT CODES
  0 done   1 refused or failed   64 wrong use or configuration   69 manager or service not reachable
  70 a bug in clew   77 not allowed   130 interrupted; of a wrapped command: its own`,
  },
});

/** The whole command line. */
export function createApp(asJson: boolean): Application<CliContext> {
  const shown = (error: unknown): string => (asJson ? errorAsJson(error) : describeError(error));
  const formatting = {
    caseStyle: "convert-camel-to-kebab",
    useAliasInUsageLine: false,
    onlyRequiredInUsageLine: true,
  } as const;
  const configuration = {
    name: "clew",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    determineExitCode: exitCodeOf,
    localization: {
      text: { ...text_en, exceptionWhileRunningCommand: shown, exceptionWhileLoadingCommandFunction: shown },
    },
  } as const;
  // Without Stricli's `-H` for hidden help: here it is curl's letter for a header.
  return buildApplication<CliContext>(routes, configuration, {
    help: help({ brief: "show this help", alias: "h", defaultForRouteMap: true, formatting }),
    version: version({ brief: "show the version", info: { currentVersion: packageVersion() } }),
  });
}
