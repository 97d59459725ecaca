// @ts-check
// A service made with one library: LIBRARIES is the folder where that is installed, APP the file in apps/ that uses it,
// RECEIVER the url of a server that answers with the headers it got. It is started with `--import @clew/node`.
const http = require("node:http");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { context } = require("@clew/context");

const load = createRequire(join(String(process.env["LIBRARIES"]), "package.json"));
const receiver = String(process.env["RECEIVER"]);

/** @returns {Promise<Record<string, unknown>>} */
function echoByHttp() {
  return new Promise((resolve, reject) => {
    http
      .get(receiver, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve(JSON.parse(text)));
      })
      .on("error", reject);
  });
}
/** @returns {Promise<any>} */
const echoByFetch = async () => (await fetch(receiver)).json();

/**
 * What a request is answered with: the tenant whose request this is, as the service sees it before and after its
 * calls, and the headers that each call brought to the receiver.
 * @param {(() => Promise<Record<string, unknown>>)[]} [calls]
 */
async function handle(calls = [echoByHttp, echoByFetch]) {
  const before = context.get("tenant_id");
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  const reached = await Promise.all(calls.map((call) => call()));
  return { before, after: context.get("tenant_id"), reached };
}

/** @typedef {{ load: NodeJS.Require, receiver: string, handle: typeof handle }} Kit */

/** @type {(kit: Kit) => Promise<number>} */
const start = require(`./apps/${process.env["APP"]}.cjs`);
start({ load, receiver, handle }).then(
  (port) => process.stdout.write(`port ${port}\n`),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
