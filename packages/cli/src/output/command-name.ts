/** How a person types this command: from a checkout it is reached through npx. */
export function commandName(env: Readonly<Record<string, string | undefined>>): string {
  return env["npm_command"] === undefined ? "clew" : "npx --no-install clew";
}
