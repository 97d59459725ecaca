import { GatewayError } from "../gateway-error.ts";
import { doorOf } from "./own-paths.ts";

/** Where previews are, as the manager tells people. */
export interface PreviewAddress {
  /** With `{slug}` where the slug goes. */
  readonly url: string;
  /** Below it each preview has its host. */
  readonly domain: string;
  /** Previews are entered at a path of a host that is live's as well. */
  readonly sharesHost: boolean;
}

const exampleSlug = "clew-example-slug";

/** Takes `previewUrl` apart. Throws `E_GATEWAY_PREVIEW_URL` for one under which this gateway would not find a preview. */
export function parsePreviewUrl(url: string, domain: string): PreviewAddress {
  const example = url.replace("{slug}", exampleSlug);
  const parsed = URL.canParse(example) ? new URL(example) : undefined;
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol)) {
    const prefix = `${exampleSlug}.`;
    if (parsed.hostname.startsWith(prefix) && parsed.pathname === "/") {
      return { url, domain: parsed.hostname.slice(prefix.length), sharesHost: false };
    }
    if (parsed.pathname === doorOf(exampleSlug)) return { url, domain, sharesHost: true };
  }
  throw new GatewayError("E_GATEWAY_PREVIEW_URL", `no preview could be found at ${url}`, {
    hint: "Give https://{slug}.preview.example/ or, without names for previews, https://shop.example/_preview/{slug}.",
  });
}
