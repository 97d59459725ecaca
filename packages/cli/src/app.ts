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
import { parsePort, parseWorkers } from "./commands/parsers.ts";
import { describeError, errorAsJson, exitCodeOf } from "./errors.ts";
import { json, manager, optional, owner, text, toggle } from "./flags.ts";
import { examples } from "./help-text.ts";
import { packageVersion } from "./package-version.ts";
import { partNames } from "./parts/selection.ts";
import { accessFlag, preview } from "./preview-commands.ts";

// Each command's code is loaded only when it runs: `clew --help` stays quick.

const partFlags = {
  config: text("clew.yaml to use (default: the nearest one)", "FILE"),
  printConfig: toggle("print every setting and where it comes from, and stop"),
  verbose: toggle("log more than what someone should look at"),
  json,
};
const serviceArgument = { brief: "name of the service", parse: String, placeholder: "SERVICE" };
const urlArgument = { brief: "http or https URL", parse: String, placeholder: "URL" };

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
  docs: {
    brief: "Run the gateway alone",
    fullDescription: `SIGTERM finishes what runs, and ends. SIGUSR2 starts the command anew without losing a connection, as with clew agent.
Without a terminal SIGHUP takes up new certificates and opens the access log anew.

${examples("clew gateway --config clew.yaml")}`,
  },
});

const agent = buildCommand({
  loader: async () => (await import("./commands/up.ts")).agent,
  parameters: {
    flags: {
      ...partFlags,
      workers: optional("run in so many processes, one for each core it is to use", "N", parseWorkers),
    },
    positional: { kind: "array", parameter: { ...serviceArgument, brief: "services (default: all)" } },
  },
  docs: {
    brief: "Run the agents of services",
    fullDescription: `SIGTERM finishes what runs, and ends. SIGUSR2 starts the command anew without losing a connection: a new process takes
the listening descriptors over, and the old one finishes what runs; with --workers the process stays, and its workers are
replaced one by one. Descriptors of a systemd socket unit are used (named SERVICE.PORT, or in the order of clew.yaml).

${examples("clew agent orders", "clew agent", "clew agent --workers 2")}`,
  },
});

/** Of the commands that bring requests to this machine. */
const serviceAndCommand = {
  kind: "array",
  minimum: 1,
  parameter: {
    brief: "the service; then, after --, the command that runs yours",
    parse: String,
    placeholder: "SERVICE",
  },
} as const;

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
      servicePort: text("port of the service (default: its only one)", "NAME"),
      route: text("route to join (default: after the owner)", "NAME"),
      client: text("on raw TCP: only the connections of this client, or network of clients", "ADDRESS"),
      owner,
      preview: toggle("make a preview URL as well"),
      previewName: text("name in the preview URL (default: not guessable)", "NAME"),
      previewAccess: { ...accessFlag, brief: "who may visit the preview; as in `clew preview create`" },
      previewPasswordFile: text("file with the preview's password (default: you are asked)", "FILE"),
      takeover: toggle("replace somebody's override whose machine is away"),
      onFailure: {
        kind: "enum",
        values: ["live", "error"],
        default: "live",
        brief: "when this machine cannot be reached: the live service answers, or an error",
      },
      envFile: text("write the service's environment to this file", "FILE"),
      manager,
      json,
    },
    positional: serviceAndCommand,
    aliases: { p: "port" },
  },
  docs: {
    brief: "Send the requests of a service that carry your routing key to this machine",
    customUsage: ["--port PORT SERVICE", "--port PORT SERVICE -- COMMAND"],
    fullDescription: `The command gets the service's environment: PORT, CLEW_SERVICE, and the addresses of the other
services, which it reaches through the tunnel. Everybody else's requests go to the live service.
On a port of raw TCP (protocol: tcp) no routing key travels: there it takes new connections, all of them or those of --client.

${examples(
  "clew intercept pricing --port 4005 -- node pricing.js",
  "clew intercept pricing --port 4005 --preview -- npm run dev",
  "clew intercept pricing --port 4005 --preview-access password -- npm run dev",
  "clew intercept pricing --port 4005 --env-file .env.clew   (and start the service yourself)",
  "clew intercept db --port 5432 --client 10.0.0.0/8   (a port of raw TCP)",
)}`,
  },
});

const wiretap = buildCommand({
  loader: async () => (await import("./commands/wiretap.ts")).wiretap,
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: parsePort,
        brief: "port on this machine that gets the copies",
        placeholder: "PORT",
      },
      servicePort: text("port of the service (default: its only one)", "NAME"),
      route: text("copy the requests of this route (default: the one named after the owner)", "NAME"),
      all: toggle("copy every request"),
      owner,
      envFile: text("write the service's environment to this file", "FILE"),
      manager,
      json,
    },
    positional: serviceAndCommand,
    aliases: { p: "port" },
  },
  docs: {
    brief: "Get a copy of a service's requests on this machine; its answers are ignored",
    customUsage: ["--port PORT SERVICE", "--port PORT SERVICE -- COMMAND"],
    fullDescription: `The live service (or whoever intercepts it) answers as if nobody listened. A copy that this machine does not take
in time is dropped, never the request; how many were is told as it happens.

${examples(
  "clew wiretap pricing --port 4005 --all",
  "clew wiretap pricing --port 4005 --route demo -- node pricing.js",
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
    flags: { route: text("only the override on this route", "NAME"), owner, manager, json },
    positional: { kind: "tuple", parameters: [serviceArgument] },
  },
  docs: {
    brief: "End your override of a service",
    fullDescription: examples("clew leave pricing", "clew leave pricing --route demo"),
  },
});

const curl = buildCommand({
  loader: async () => (await import("./commands/curl.ts")).curl,
  parameters: {
    flags: {
      route: { kind: "parsed", parse: String, brief: "route that the request carries", placeholder: "NAME" },
      request: text("method (default: GET, or POST with --data)", "METHOD"),
      header: { ...text("a header; may be repeated", "LINE"), variadic: true },
      data: text("body to send", "TEXT"),
      include: toggle("show the answer's status and headers, too"),
      manager,
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

const browser = buildCommand({
  loader: async () => (await import("./commands/browser.ts")).browser,
  parameters: {
    flags: {
      route: text("route that its requests carry (default: after the owner)", "NAME"),
      port: optional("port on this machine (default: any that is free)", "PORT", parsePort),
      print: toggle("only print the address, and open nothing"),
      manager,
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [{ ...urlArgument, brief: "what to open (default: the gateway)", optional: true }],
    },
  },
  docs: {
    brief: "Open a browser whose requests carry a route",
    fullDescription: `It opens a local address, from which requests go on to the URL with the route's key. Cookies of
different routes are kept apart. BROWSER names another program than the system's.

${examples(
  "clew browser",
  "clew browser --route demo http://127.0.0.1:8000/",
  "clew browser --print https://staging.example.com/",
)}`,
  },
});

const explain = buildCommand({
  loader: async () => (await import("./commands/explain.ts")).explain,
  parameters: {
    flags: { route: text("route that the request carries", "NAME"), manager, json },
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

const describedUrl = {
  brief: "URL of a Forrst service (http, https, h2c, h2 or unix)",
  parse: String,
  placeholder: "URL",
};
const describedSource = {
  brief: "a description document, or the URL of a service that gives one",
  parse: String,
  placeholder: "FILE-or-URL",
};

const rpcDescribe = buildCommand({
  loader: async () => (await import("./commands/rpc/describe.ts")).describe,
  parameters: {
    flags: { json },
    positional: {
      kind: "tuple",
      parameters: [
        describedUrl,
        { brief: "all about this one", parse: String, placeholder: "FUNCTION", optional: true },
      ],
    },
  },
  docs: {
    brief: "List a service's functions, or tell all about one",
    fullDescription: examples(
      "clew rpc describe http://127.0.0.1:7400/forrst",
      "clew rpc describe http://127.0.0.1:7400/forrst orders.create",
    ),
  },
});

const rpcCall = buildCommand({
  loader: async () => (await import("./commands/rpc/call.ts")).call,
  parameters: {
    flags: {
      arg: { ...text("an argument, as JSON or text; may be repeated", "NAME=VALUE"), variadic: true },
      context: { ...text("a context field, likewise", "NAME=VALUE"), variadic: true },
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [
        describedUrl,
        { brief: "name, or name@version (default: the latest)", parse: String, placeholder: "FUNCTION" },
      ],
    },
  },
  docs: {
    brief: "Call a function, and print its result, or its events as they come",
    fullDescription: examples(
      "clew rpc call http://127.0.0.1:7400/forrst orders.get --arg id=42 --context tenant_id=acme",
      'clew rpc call unix:/run/orders.sock orders.create@2.0.0 --arg \'items=[{"sku":"a"}]\' --json',
    ),
  },
});

const rpcTypes = buildCommand({
  loader: async () => (await import("./commands/rpc/types.ts")).types,
  parameters: { flags: { json }, positional: { kind: "tuple", parameters: [describedSource] } },
  docs: {
    brief: "Write TypeScript types for a client that shares no code with the service",
    fullDescription: examples("clew rpc types http://127.0.0.1:7400/forrst > orders.d.ts"),
  },
});

const rpcMock = buildCommand({
  loader: async () => (await import("./commands/rpc/mock.ts")).mock,
  parameters: {
    flags: { port: optional("port on this machine (default: any that is free)", "PORT", parsePort), json },
    positional: { kind: "tuple", parameters: [describedSource] },
  },
  docs: {
    brief: "Answer in the place of a service, by its examples and schemas",
    fullDescription: examples(
      "clew rpc mock orders.json --port 7400",
      "clew rpc mock http://orders:7400/forrst",
    ),
  },
});

const rpc = buildRouteMap({
  routes: { describe: rpcDescribe, call: rpcCall, types: rpcTypes, mock: rpcMock },
  docs: { brief: "Look at, call and stand in for Forrst services" },
});

const routes = buildRouteMap({
  routes: {
    up,
    intercept,
    wiretap,
    list,
    status,
    leave,
    preview,
    curl,
    browser,
    explain,
    rpc,
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
  const briefs = {
    ...text_en.briefs,
    argumentEscapeSequence: "what follows is for the command, not for clew",
  };
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
      text: {
        ...text_en,
        briefs,
        exceptionWhileRunningCommand: shown,
        exceptionWhileLoadingCommandFunction: shown,
      },
    },
  } as const;
  // Without Stricli's `-H` for hidden help: here it is curl's letter for a header.
  return buildApplication<CliContext>(routes, configuration, {
    help: help({ brief: "show this help", alias: "h", defaultForRouteMap: true, formatting }),
    version: version({ brief: "show the version", info: { currentVersion: packageVersion() } }),
  });
}
