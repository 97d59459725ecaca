// @ts-check
// Messages by the grammar, with an odd part here and there: most are right, so that what is behind a head is reached as well.

/** @typedef {import("./random.mjs").Random} Random */

const methods = ["GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"];
const oddMethods = [
  "TRACE",
  "PROPFIND",
  "M-SEARCH",
  "FROB",
  "get",
  "G",
  "PRI",
  "GET\t",
  " GET",
  "",
  "GE(T",
  "CONNECT",
];
const targets = ["/", "/a/b", "/a?b=c&d", "//a", "/%41", "/a;b=c", "/~!$&'()*+,;=:@", "http://h/a"];
const oddTargets = [
  "*",
  "a",
  "",
  "/a b",
  "/#a",
  "http://g/",
  "http://h",
  "h:80",
  "/\u00e4",
  "/\x7f",
  "/\0",
  "/a\tb",
  "?a",
  '/[x]{y}|\\^`"<>',
  "http://h?a",
];
const versions = ["HTTP/1.1"];
const oddVersions = [
  "HTTP/1.0",
  "HTTP/1.0",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/0.9",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/1.1 ",
  "HTTP/11",
  "",
  "HTTP/1.",
  "HTTP/1.10",
  "RTSP/1.0",
];
const ends = ["\r\n"];
const oddEnds = ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", " \r\n", "\r\n\t", "\0\r\n"];
const names = ["A", "Accept", "X-Long-Name", "baggage", "Cookie", "content_length", "!#$%&'*+-.^_`|~09"];
const oddNames = [
  "",
  "A B",
  "A\t",
  "A ",
  " A",
  "A\0",
  "\u00e4",
  "A:",
  "A(",
  "\x0bA",
  "Content-Length",
  "Transfer-Encoding",
  "Host",
  "Connection",
  "Upgrade",
  "Trailer",
  "TE",
];
const values = ["b", "", "b, c", "\u00fc", "  b  ", "\tb\t", "a:b", '"q, \\"r"', "b".repeat(60)];
const oddValues = ["\0", "a\rb", "a\nb", "\x0b", "\x7f", "a\x01b", "close", "chunked", "0", "3", "upgrade"];
const hosts = ["h"];
const oddHosts = ["", "h:80", "h, g", "h/a", "u@h", "H", "[::1]", "h g", "\u00e4"];
const connections = ["keep-alive", "close", "Keep-Alive", "x-a", "x-a, close", "TE", "keep-alive, Upgrade"];
const codings = ["chunked", "chunked", "chunked", "Chunked", " chunked "];
const oddCodings = [
  "gzip, chunked",
  "chunked, gzip",
  "identity",
  "xchunked",
  "chunked,",
  ",chunked",
  "chunked;a=b",
  "",
  "\tchunked",
  "chunked, chunked",
  "\x0bchunked",
  '"chunked"',
];
const statuses = [
  "200 OK",
  "200 OK",
  "200 ",
  "200",
  "204 No Content",
  "304 Not Modified",
  "404 Not Found",
  "500 \u00fc",
  "299 a b  c",
  "205 Reset",
];
const oddStatuses = [
  "100 Continue",
  "103 Early Hints",
  "101 Switching Protocols",
  "20 OK",
  "2000 OK",
  "099 OK",
  "abc",
  "",
  "200\tOK",
  "200 O\0K",
  " 200 OK",
  "600 X",
  "200 O\rK",
];
const interims = [
  ...Array.from({ length: 12 }, () => ""),
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
  "HTTP/1.1 102 \r\nA: b\r\nConnection: keep-alive\r\n\r\n",
  "HTTP/1.1 199\r\nConnection: close\r\n\r\n",
  "HTTP/1.0 100 Continue\r\n\r\n",
  "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
];

/** Requests, one after another. @param {Random} random */
export function requests(random) {
  const count = random.once(3) ? 1 + random.below(4) : 1;
  let text = random.once(15) ? random.of(["\r\n", "\r\n\r\n", "\n", "\r", " "]) : "";
  for (let index = 0; index < count; index++) text += request(random);
  return text;
}

/** An answer, perhaps with interim ones before it. @param {Random} random */
export function answer(random) {
  const version = random.mostly(versions, oddVersions);
  const startLine = `${version} ${random.mostly(statuses, oddStatuses)}`;
  return random.of(interims) + message(random, startLine, []);
}

/** @param {Random} random */
function request(random) {
  const method = random.mostly(methods, oddMethods);
  const space = random.mostly([" "], ["  ", "\t", ""], 60);
  const target = random.mostly(targets, oddTargets);
  const version = random.mostly(versions, oddVersions);
  const lines = [];
  if (!random.once(30))
    lines.push(`Host:${random.mostly([" "], ["", "  ", "\t"])}${random.mostly(hosts, oddHosts)}`);
  if (random.once(40)) lines.push("Host: h");
  return message(random, `${method}${space}${target} ${version}`, lines);
}

/** @param {Random} random @param {string} startLine @param {string[]} lines */
function message(random, startLine, lines) {
  const others = random.below(4);
  for (let index = 0; index < others; index++) {
    const name = random.mostly(names, oddNames, 15);
    const colon = random.mostly([": "], [":", " : ", "\t:", ":\t", ""], 25);
    lines.push(`${name}${colon}${random.mostly(values, oddValues, 15)}`);
  }
  if (random.once(6)) lines.push(`Connection: ${random.of(connections)}`);
  if (random.once(25)) lines.push("Expect: 100-continue");
  if (random.once(40)) lines.push("Upgrade: x");
  const { framing, body } = framed(random);
  lines.push(...framing);
  // Not always in the same order.
  if (random.once(3) && lines.length > 1)
    lines.unshift(.../** @type {string[]} */ (lines.splice(random.below(lines.length))));
  const end = () => random.mostly(ends, oddEnds, 120);
  let text = startLine + end();
  for (const line of lines) text += line + end();
  return text + end() + body;
}

/** @param {Random} random @returns {{ framing: string[], body: string }} */
function framed(random) {
  switch (random.below(8)) {
    case 0:
    case 1:
      return { framing: [], body: "" };
    case 2:
    case 3: {
      const body = data(random, random.once(10) ? random.below(3_000) : random.below(20));
      return { framing: lengths(random, body.length), body };
    }
    case 4:
      return random.once(4) ? ambiguous(random) : { framing: ["Content-Length: 0"], body: "" };
    default: {
      const framing = [`Transfer-Encoding: ${random.mostly(codings, oddCodings)}`];
      if (random.once(40)) framing.push(framing[0] ?? "");
      return { framing, body: chunks(random) };
    }
  }
}

/** @param {Random} random @param {number} length */
function lengths(random, length) {
  const spelled = random.mostly(
    [`${length}`],
    [
      `0${length}`,
      `+${length}`,
      `-${length}`,
      `${length}, ${length}`,
      `0x${length.toString(16)}`,
      `${length}a`,
      ` ${length} `,
      `${length}\t`,
      `${length + 1}`,
      `${length - 1}`,
      "",
      "9".repeat(20),
      `${length}.0`,
      `1e1`,
    ],
    8,
  );
  const lines = [`Content-Length: ${spelled}`];
  if (random.once(30)) lines.push(`Content-Length: ${random.of([`${length}`, "0", "5"])}`);
  return lines;
}

/** Both lengths, in either order. @param {Random} random */
function ambiguous(random) {
  const body = chunks(random);
  const both = [
    `Content-Length: ${random.of([body.length, 0, 3])}`,
    `Transfer-Encoding: ${random.mostly(codings, oddCodings)}`,
  ];
  return { framing: random.once(2) ? both : both.toReversed(), body };
}

/** @param {Random} random */
function chunks(random) {
  let text = "";
  const count = random.below(4);
  const end = () => random.mostly(ends, oddEnds, 60);
  for (let index = 0; index < count; index++) {
    const piece = data(random, 1 + (random.once(12) ? random.below(2_000) : random.below(12)));
    text += size(random, piece.length) + extension(random) + end() + piece + end();
  }
  text +=
    random.mostly(["0", "0", "00", "0000"], ["", "-0", "0x0", "+0", "0 ", "0".repeat(13)], 30) +
    extension(random) +
    end();
  const trailers = random.once(4) ? 1 + random.below(2) : 0;
  for (let index = 0; index < trailers; index++) {
    text += `${random.mostly(names, oddNames)}${random.mostly([": "], [":", " : ", ""], 20)}${random.mostly(values, oddValues)}${end()}`;
  }
  return text + end();
}

/** @param {Random} random @param {number} length */
function size(random, length) {
  const hex = length.toString(16);
  const usual = [hex, hex, hex.toUpperCase(), `0${hex}`, `0000${hex}`];
  const odd = [
    `${hex} `,
    ` ${hex}`,
    `+${hex}`,
    `-${hex}`,
    `0x${hex}`,
    `${hex}\t`,
    (length + 1).toString(16),
    (length - 1).toString(16),
    hex.padStart(13, "0"),
    `1${"0".repeat(16)}${hex}`,
    "",
    `${hex}g`,
    `${hex}\0`,
  ];
  return random.mostly(usual, odd, 30);
}

/** @param {Random} random */
function extension(random) {
  if (!random.once(5)) return "";
  return random.mostly(
    [";a", ";a=b", ';a="b"', ';a="b;c d"', ";a=b;c", ';a="\\""'],
    [
      ";",
      "; a=b",
      " ;a",
      ";a=",
      ';a="b',
      ";a\0",
      ";a\nb",
      ";a\rb",
      `;a=${"b".repeat(300)}`,
      ";a = b",
      ";\u00e4",
      ';a="b"c',
    ],
    6,
  );
}

const looksLikeMessages = [
  "0\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
  "\r\n",
  "\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "\n",
  "5\r\n",
];

/** @param {Random} random @param {number} length */
function data(random, length) {
  let text = "";
  while (text.length < length) {
    text += random.once(4)
      ? random.of(looksLikeMessages)
      : String.fromCharCode(random.below(256)).repeat(1 + random.below(30));
  }
  return text.slice(0, length);
}
