/**
 * Addresses of the gateway's own. `-` begins no preview's name, so none of them can be mistaken for a preview. On a
 * preview's own host only those below `/_preview/-/` are the gateway's; on others all of `/_preview/` is.
 */
const doorPath = "/_preview";
export const enterPath = "/_preview/-/enter";
export const leavePath = "/_preview/-/leave";
export const statusPath = "/_preview/-/status";
export const showLivePath = "/_preview/-/show-live";

export function isOwnPath(path: string): boolean {
  return path.startsWith(`${doorPath}/-/`);
}

export function isDoorPath(path: string): boolean {
  return path === doorPath || path.startsWith(`${doorPath}/`);
}

/** The preview whose door it is, "" for the way out; undefined for what can be no preview's. */
export function slugOfDoor(path: string): string | undefined {
  if (path === doorPath || path === `${doorPath}/`) return "";
  return /^\/_preview\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/?$/.exec(path)?.[1];
}

export function doorOf(slug: string): string {
  return `${doorPath}/${slug}`;
}
