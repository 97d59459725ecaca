/** Run by pure.test.ts: loads the pure entry into a realm that has JavaScript and the web's text codecs, no more. */
import { readFileSync } from "node:fs";
import vm from "node:vm";

const realm = vm.createContext({ TextEncoder, TextDecoder, performance: { now: () => 0 } });
const modules = new Map<string, vm.SourceTextModule>();

function load(url: string): vm.SourceTextModule {
  let module = modules.get(url);
  if (module === undefined) {
    module = new vm.SourceTextModule(readFileSync(new URL(url), "utf8"), { context: realm, identifier: url });
    modules.set(url, module);
  }
  return module;
}

/** A program as a page would have it; its answer is what it leaves in `answer`. */
const program = `
  import { emptyContext, extractContext, injectContext, isInternalDestination, joinContexts } from "pure";
  const headers = { baggage: "tenant_id=acme", "x-forrst-caller": "shop" };
  const context = extractContext((name) => headers[name]).with({ greeting: "été", n: 1 });
  const sent = {};
  injectContext(context, (name, value) => { sent[name] = value; }, { service: "web" });
  globalThis.answer = {
    globals: [typeof process, typeof Buffer, typeof require].join(),
    tenant: context.get("tenant_id"),
    sent,
    internal: ["orders.internal", "example.com"].map((host) => isInternalDestination(host)),
    joined: joinContexts([emptyContext.with({ tenant_id: "other" }), emptyContext]).get("clew-conflicts"),
  };
`;

const page = new vm.SourceTextModule(program, { context: realm, identifier: import.meta.url });
await page.link((specifier, referrer) => {
  if (specifier === "pure") return load(new URL("../pure.js", import.meta.url).href);
  return load(
    specifier.startsWith(".") ? new URL(specifier, referrer.identifier).href : import.meta.resolve(specifier),
  );
});
await page.evaluate();
process.stdout.write(JSON.stringify(realm["answer"]));
