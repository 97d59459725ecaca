/** `{service.port}` in a service's environment stands for the `host:port` of that service's agent. */
const reference = /\{([a-z0-9-]+)\.([a-z0-9-]+)\}/g;

type Services = Readonly<Record<string, { readonly ports: Readonly<Record<string, unknown>> }>>;

/** The references in a value, as `service.port`. */
export function referencesIn(
  value: string,
): ReadonlyArray<{ readonly service: string; readonly port: string }> {
  return [...value.matchAll(reference)].map(([, service = "", port = ""]) => ({ service, port }));
}

export function unknownReferences(value: string, services: Services): string[] {
  return referencesIn(value)
    .filter(({ service, port }) => services[service]?.ports[port] === undefined)
    .map(({ service, port }) => `${service}.${port}`);
}

/** A brace without its partner is a reference gone wrong, not text. */
export function isUnreadable(value: string): boolean {
  const rest = value.replaceAll(reference, "");
  return rest.split("{").length !== rest.split("}").length;
}

/** Puts addresses in place of references; what `addressOf` does not know stays as it is. */
export function resolveReferences(
  env: Readonly<Record<string, string>>,
  addressOf: (service: string, port: string) => string | undefined,
): Record<string, string> {
  const resolved = Object.entries(env).map(([name, value]) => [
    name,
    value.replaceAll(reference, (whole, service: string, port: string) => addressOf(service, port) ?? whole),
  ]);
  return Object.fromEntries(resolved);
}
