import { routeField } from "@clew/context";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { requestRoutingKey } from "../developer/routing-key.ts";
import { CliError } from "../errors.ts";
import { sendRequest } from "./request.ts";

interface CurlFlags extends ManagerFlags {
  readonly route: string;
  readonly request?: string;
  readonly header?: readonly string[];
  readonly data?: string;
  readonly include: boolean;
}

/** One request that carries a route. */
export async function curl(this: CliContext, flags: CurlFlags, url: string): Promise<void> {
  const given = parseHeaders(flags.header ?? []);
  const { key } = await withManager(this, flags.manager, ({ client }) =>
    requestRoutingKey(client, flags.route),
  );
  const headers = { ...given, baggage: `${routeField}=${key}` };
  const method = flags.request ?? (flags.data === undefined ? "GET" : "POST");
  const answer = await sendRequest({ url, method, headers, body: flags.data });
  if (this.json) {
    print(this, { status: answer.status, headers: answer.headers, body: answer.body.toString("utf8") }, "");
    return;
  }
  if (flags.include) {
    const lines = pairs(answer.rawHeaders).map(([name, value]) => `${name}: ${value}`);
    this.process.stdout.write(`${answer.status} ${answer.statusText}\n${lines.join("\n")}\n\n`);
  }
  this.process.stdout.write(answer.body);
}

/** `Name: value` lines as a record. Throws E_USAGE for one without a colon, or one that the route needs. */
export function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon < 1 || name === "") {
      throw new CliError("E_USAGE", `not a header: ${line}`, {
        hint: "Such as --header 'accept: text/html'",
      });
    }
    if (name === "baggage") {
      throw new CliError(
        "E_USAGE",
        "the header baggage is what carries the route; it cannot be given as well",
      );
    }
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}

function pairs(rawHeaders: readonly string[]): Array<[string, string]> {
  const found: Array<[string, string]> = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    found.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
  }
  return found;
}
