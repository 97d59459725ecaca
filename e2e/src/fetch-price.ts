import { get } from "node:http";

/** The price of yarn as a client outside sees it, in cents; by a preview's host name when one is given. */
export function fetchPrice(
  port: number,
  { key, host }: { readonly key?: string; readonly host?: string } = {},
): Promise<number> {
  const headers = {
    ...(key === undefined ? {} : { baggage: `clew-route=${key}` }),
    ...(host === undefined ? {} : { host }),
  };
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path: "/api/quotes/yarn", headers, agent: false }, (response) => {
      response.toArray().then((chunks) => {
        const body = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(JSON.parse(body).cents);
        else reject(new Error(`${response.statusCode} ${body}`));
      }, reject);
    }).once("error", reject);
  });
}
