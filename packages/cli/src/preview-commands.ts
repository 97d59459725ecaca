import { buildCommand, buildRouteMap, type Command, type RouteMap } from "@stricli/core";
import type { CliContext } from "./cli-context.ts";
import { parseDuration } from "./commands/parsers.ts";
import { json, manager, optional, owner, text, toggle } from "./flags.ts";
import { examples } from "./help-text.ts";

const expires = optional("how long it works, such as 24h (the default) or 7d", "TIME", parseDuration);
const previewArgument = {
  brief: "name of the preview, as `list` shows it",
  parse: String,
  placeholder: "PREVIEW",
};
const onePreview = { kind: "tuple", parameters: [previewArgument] } as const;

/** Who may visit; the same words wherever a preview is made. */
export const accessFlag: {
  readonly kind: "enum";
  readonly values: readonly ["public", "link", "password"];
  readonly optional: true;
  readonly brief: string;
} = {
  kind: "enum",
  values: ["public", "link", "password"],
  optional: true,
  brief: "who may visit (default: link; public where only this machine reaches the gateway)",
};

const create = buildCommand({
  loader: async () => (await import("./commands/preview/create.ts")).previewCreate,
  parameters: {
    flags: {
      route: text("route that its visitors carry (default: after the owner)", "NAME"),
      name: text("name in the URL (default: not guessable)", "NAME"),
      expires,
      access: accessFlag,
      newLink: toggle("another link: the one before opens nothing any more, its visitors are out"),
      passwordFile: text("file with the password; - is standard input (default: you are asked)", "FILE"),
      ingress: text("where it leads to: a name from gateway.ingresses (default: as the gateway)", "NAME"),
      header: {
        ...text("a header for its visitors' requests; may be repeated", "NAME=VALUE"),
        variadic: true,
      },
      field: { ...text("a context field, as JSON or text; may be repeated", "NAME=VALUE"), variadic: true },
      banner: {
        kind: "boolean",
        optional: true,
        brief: "show visitors a bar that says what they look at (default: yes; --no-banner leaves it out)",
      },
      owner,
      manager,
      json,
    },
  },
  docs: {
    brief: "Make a URL whose visitors carry a route",
    fullDescription: `ACCESS
  public    everybody who opens the address
  link      whoever has the link that is printed
  password  whoever knows the password

Again with the same name, owner and route, it changes what is said and prolongs it; its link stays as it is.

${examples(
  "clew preview create",
  "clew preview create --route demo --name demo --expires 7d",
  "clew preview create --access password --password-file secret.txt",
  "clew preview create --ingress shop --header x-beta=1 --field tenant_id=acme --no-banner",
  'clew preview create --name "pr-$PR" --access link --json',
)}`,
  },
});

const list = buildCommand({
  loader: async () => (await import("./commands/preview/look.ts")).previewList,
  parameters: { flags: { route: text("only those of this route", "NAME"), manager, json } },
  docs: {
    brief: "List previews",
    fullDescription: examples("clew preview list", "clew preview list --route demo"),
  },
});

const show = buildCommand({
  loader: async () => (await import("./commands/preview/look.ts")).previewShow,
  parameters: {
    flags: { link: toggle("print only the address to give out, a link's secret with it"), manager, json },
    positional: onePreview,
  },
  docs: {
    brief: "Show what a preview carries and replaces, and who visited it",
    fullDescription: examples(
      "clew preview show demo",
      "clew preview show demo --link",
      "clew preview show demo --json",
    ),
  },
});

const extend = buildCommand({
  loader: async () => (await import("./commands/preview/change.ts")).previewExtend,
  parameters: {
    flags: {
      expires: optional("how long it works from now on (default: 24h)", "TIME", parseDuration),
      manager,
      json,
    },
    positional: onePreview,
  },
  docs: {
    brief: "Let a preview work for longer",
    fullDescription: examples("clew preview extend demo", "clew preview extend demo --expires 7d"),
  },
});

const revoke = (name: string): Command<CliContext> =>
  buildCommand({
    loader: async () => (await import("./commands/preview/change.ts")).previewRevoke,
    parameters: { flags: { manager, json }, positional: onePreview },
    docs: {
      brief: name === "revoke" ? "End a preview at once, for all its visitors" : "The same as revoke",
      fullDescription: examples(`clew preview ${name} demo`),
    },
  });

const revokeVisitor = buildCommand({
  loader: async () => (await import("./commands/preview/change.ts")).visitorRevoke,
  parameters: {
    flags: { manager, json },
    positional: {
      kind: "tuple",
      parameters: [
        previewArgument,
        { brief: "id of the visitor, as `preview show` has it", parse: String, placeholder: "VISITOR" },
      ],
    },
  },
  docs: {
    brief: "Turn one visitor away, and nobody else",
    fullDescription: `Who has the link or the password can come back as a new visitor: to keep somebody out for good, make
the preview anew with another link or password.

${examples("clew preview visitors revoke demo qe3u7m2k5xw4yafh")}`,
  },
});

/** `clew preview …` */
export const preview: RouteMap<CliContext> = buildRouteMap({
  routes: {
    create,
    list,
    show,
    extend,
    revoke: revoke("revoke"),
    remove: revoke("remove"),
    visitors: buildRouteMap({
      routes: { revoke: revokeVisitor },
      docs: { brief: "Turn visitors away" },
    }),
  },
  docs: { brief: "Make, list, extend and revoke preview URLs" },
});
