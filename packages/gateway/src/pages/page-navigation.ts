import type { RequestHead } from "@clew/proxy";

/**
 * Whether a person looks at what comes: a page, in a tab or a frame. Browsers say so on trustworthy origins (TLS or
 * loopback); elsewhere what is accepted has to tell. Source: Fetch Metadata §2.2
 */
export function isNavigation(head: RequestHead): boolean {
  if (head.upgrade !== undefined) return false;
  const mode = head.header("sec-fetch-mode");
  if (mode !== undefined) return mode === "navigate" || isPassedOnByWorker(head);
  return (
    (head.header("accept")?.includes("text/html") ?? false) && head.header("x-requested-with") === undefined
  );
}

/** A page that is asked for in a tab of its own: not in a frame, and not to be posted to. */
export function isTopPage(head: RequestHead): boolean {
  if (head.method !== "GET" && head.method !== "HEAD") return false;
  const destination = head.header("sec-fetch-dest");
  return (
    isNavigation(head) &&
    (destination === undefined || destination === "document" || isPassedOnByWorker(head))
  );
}

/**
 * A page whose service worker hands the request on (`fetch(event.request)`): no longer called a navigation, but still with what
 * browsers send with navigations alone. Source: Upgrade Insecure Requests §3.2.1, Service Workers §4.6
 */
function isPassedOnByWorker(head: RequestHead): boolean {
  return (
    head.header("sec-fetch-mode") === "same-origin" &&
    head.header("sec-fetch-dest") === "empty" &&
    head.header("upgrade-insecure-requests") === "1" &&
    (head.header("accept")?.includes("text/html") ?? false)
  );
}

/** Whether the visitor comes from outside to the page, and not from another page of the same host. */
export function isArrival(head: RequestHead): boolean {
  const site = head.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin";
  const from = head.header("referer")?.match(/^https?:\/\/([^/?#]+)/i)?.[1];
  return from?.toLowerCase() !== head.header("host")?.toLowerCase();
}
