/** The slug of a preview's authority; "" for the previews' domain itself, undefined for any other host. */
export function parsePreviewHost(authority: string, previewsDomain: string): string | undefined {
  const host = authority.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  if (host === previewsDomain) return "";
  return host.endsWith(`.${previewsDomain}`) ? host.slice(0, -previewsDomain.length - 1) : undefined;
}
