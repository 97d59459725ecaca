// The same in CommonJS: the functions are taken off the module once and for all.
const { connect, createServer } = require("node:http2") as typeof import("node:http2");

const server = createServer((req, res) =>
  res.end(`${req.headers["baggage"]} from ${req.headers["x-forrst-caller"]}`),
);
const tenantOf = (answer: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => {
    let body = "";
    answer.on("data", (chunk) => {
      body += chunk;
    });
    answer.on("end", () => resolve(body));
  });
server.listen(0, "127.0.0.1", async () => {
  const { context } = await import("@clew/context");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const session = connect(`http://127.0.0.1:${port}`);
  const answers = ["a", "b"].map((tenant_id) =>
    context.with({ tenant_id }, () => tenantOf(session.request())),
  );
  process.stdout.write(`${(await Promise.all(answers)).join(", ")}\n`);
  session.close();
  server.close();
});
