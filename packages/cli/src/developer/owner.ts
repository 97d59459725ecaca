import { hostname, userInfo } from "node:os";

type Environment = Readonly<Record<string, string | undefined>>;

/** Who makes overrides and previews: CLEW_OWNER, else the system's user name. */
export function ownerName(flag: string | undefined, env: Environment): string {
  return flag ?? env["CLEW_OWNER"] ?? userInfo().username;
}

/** The owner's name as a route name: a developer's intercepts share one route unless they say otherwise. */
export function defaultRoute(owner: string): string {
  const name = owner
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "route" : name;
}

export function machineName(): string {
  return hostname();
}
