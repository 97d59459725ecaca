import type { OutgoingHttpHeaders } from "node:http";
import { type Answer, ask } from "./gateway-fixture.ts";

/** A browser's jar and manners, as far as a gateway sees them: one host, its cookies, and pages asked for as pages. */
export interface Visitor {
  readonly cookies: ReadonlyMap<string, string>;
  /** A page, as typed into the address bar. Redirects are not followed. */
  page(path: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
  /** A script's request. */
  fetch(path: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
  post(path: string, form: Readonly<Record<string, string>>, headers?: OutgoingHttpHeaders): Promise<Answer>;
}

export function visitor(port: number, host: string): Visitor {
  const cookies = new Map<string, string>();
  const send = async (
    path: string,
    headers: OutgoingHttpHeaders,
    method = "GET",
    body?: string,
  ): Promise<Answer> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const own = cookie === "" ? {} : { cookie };
    const answer = await ask(port, { host, ...own, ...headers }, method, path, body);
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [pair = "", ...attributes] = line.split(/;\s*/);
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      if (attributes.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  const navigation = {
    accept: "text/html,*/*;q=0.8",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  return {
    cookies,
    page: (path, headers = {}) => send(path, { ...navigation, "sec-fetch-site": "none", ...headers }),
    fetch: (path, headers = {}) => send(path, { accept: "*/*", "sec-fetch-mode": "cors", ...headers }),
    post: (path, form, headers = {}) => {
      const body = new URLSearchParams(form).toString();
      const type = { "content-type": "application/x-www-form-urlencoded" };
      return send(
        path,
        { ...navigation, ...type, "sec-fetch-site": "same-origin", ...headers },
        "POST",
        body,
      );
    },
  };
}
