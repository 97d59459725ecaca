import assert from "node:assert/strict";
import { test } from "node:test";
import { createBarInserter } from "./bar-inserter.ts";

/** `|` marks where the bar belongs; without one it belongs nowhere. */
const documents: Readonly<Record<string, string>> = {
  "a whole document":
    "<!doctype html><html><head><title>a</title></head><body class='x'>|<p>hi</p></body></html>",
  "a body tag in capitals, with a > in an attribute": `<HTML><BODY data-a="1 > 0" onload='f(">")'>|x`,
  "a body tag over lines": "<html>\n<body\n  class=a\n>|\n<p>",
  "no body tag": "<!doctype html><title>a</title>|<p>hi",
  "text after the head": "<html><head></head>\n |hi",
  "a document that is only a head": "<!doctype html><html><head><title>a</title></head></html>",
  "<body> within a comment": "<!-- <body> --><html><body>|x",
  "<body> within a comment that ends oddly": "<html><!-- <body> --!><body>|x",
  "a comment that is empty": "<!--><html><body>|x",
  "another comment that is empty": "<!---><html><body>|x",
  "<body> within a script": "<html><script>a = '<body>'; b = '</body>'</script><body>|x",
  "</script> within an escaped script": "<html><script><!-- <script> '</script> <body>' --></script><body>|x",
  "a script that looks escaped, but is not": "<html><script>a <!-- b --> c</script><body>|x",
  "<body> within a title": "<html><title>about <body></title><body>|x",
  "<body> within a style": "<html><style>a::after{content:'<body>'}</style ><body>|x",
  "<body> within a noscript of the head": "<html><noscript><body></noscript><body>|x",
  "<body> within nested templates": "<html><template><template><body></template><body></template><body>|x",
  "a tag whose name begins alike": "<html><title>a</titles></title><script>'</scripty'</script><body>|x",
  "links, metas and a base": `<!doctype html><meta charset=utf-8><link rel=x href=y><base href="/"><body>|`,
  "a byte order mark": "\xef\xbb\xbf<!doctype html><body>|x",
  "a processing instruction": "<?xml version='1.0'?><html><body>|x",
  "a fragment that begins with an element": "|<div>hi</div>",
  "a frameset": "<html><head></head><frameset cols=*><frame src=a></frameset></html>",
  "text alone": "just text",
  "JSON that is called HTML": '{"a":"<body>"}',
  "a document that breaks off in a tag": "<html><body class='a",
  "a document that breaks off in a script": "<html><script>'<body>'",
  nothing: "",
  "a < that begins no tag": "<html>|< 3",
};

/** What leaves when the document comes in pieces cut at these places. */
async function insert(text: string, cuts: readonly number[]): Promise<string> {
  const inserter = createBarInserter(() => "|");
  const edges = [0, ...cuts, text.length];
  for (const [at, from] of edges.slice(0, -1).entries()) {
    inserter.write(Buffer.from(text.slice(from, edges[at + 1]), "latin1"));
  }
  inserter.end();
  const pieces: Buffer[] = [];
  for await (const piece of inserter) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

for (const [name, marked] of Object.entries(documents)) {
  test(`the bar goes where the body begins, however the document is cut: ${name}`, async () => {
    const text = marked.replace("|", "");
    // Only a head, whole: a body may follow it.
    const expected = name === "a document that is only a head" ? text.replace("</html>", "|</html>") : marked;
    assert.equal(await insert(text, []), expected);
    for (let cut = 0; cut <= text.length; cut++)
      assert.equal(await insert(text, [cut]), expected, `cut at ${cut}`);
    const everywhere = [...text].map((_, at) => at).slice(1);
    assert.equal(await insert(text, everywhere), expected, "byte by byte");
  });
}

test("what comes before the body goes on without waiting for it", async () => {
  const inserter = createBarInserter(() => "|");
  inserter.write("<html><head><script>early()</script><scr");
  assert.equal(String(inserter.read()), "<html><head><script>early()</script>");
});

test("bytes of any encoding stay as they are, and policies of the document itself are told", async () => {
  const told: string[] = [];
  const inserter = createBarInserter((policies) => {
    told.push(...policies);
    return undefined;
  });
  const bytes = Buffer.concat([
    Buffer.from(`<html><meta http-equiv="Content-Security-Policy" content="default-src 'self'"><body>`),
    Buffer.from([0x80, 0xff, 0, 0xc3]),
  ]);
  inserter.end(bytes);
  const pieces: Buffer[] = [];
  for await (const piece of inserter) pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), bytes);
  assert.deepEqual(told, ["default-src 'self'"]);
});
