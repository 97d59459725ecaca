/** What a service started by hand needs, as rows under one heading; none where a command got it. */
export function environmentRows(env: Readonly<Record<string, string>> | undefined): string[][] {
  return Object.entries(env ?? {}).map(([name, setting], index) => [
    index === 0 ? "environment" : "",
    `${name}=${setting}`,
  ]);
}
