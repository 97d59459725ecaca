/** Messages in the manner of programs in use: their lines, order and casing. Hosts, dates and identifiers are made up. */
export const lifelikeRequests: readonly string[] = [
  // curl 7.88
  message("GET /path?x=1 HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: curl/7.88.1", "Accept: */*"),
  // curl 7.88, --data
  message(
    "POST /form HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: curl/7.88.1",
    "Accept: */*",
    "Content-Length: 7",
    "Content-Type: application/x-www-form-urlencoded",
    "",
    "a=b&c=d",
  ),
  // Chromium
  message(
    "GET /index.html HTTP/1.1",
    "Host: shop.example:8000",
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9",
    "Cookie: session=0123456789abcdef; theme=dark",
    'If-None-Match: W/"5f-18c"',
  ),
  // Go's net/http, unknown length
  message(
    "POST /upload HTTP/1.1",
    "Host: orders:8102",
    "User-Agent: Go-http-client/1.1",
    "Transfer-Encoding: chunked",
    "Accept-Encoding: gzip",
    "",
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  ),
  // Node's fetch (undici), JSON with a context
  message(
    "POST /rpc HTTP/1.1",
    "host: pricing:8103",
    "connection: keep-alive",
    "content-type: application/json",
    "baggage: clew-route=alice,tenant=acme",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "accept: */*",
    "accept-language: *",
    "sec-fetch-mode: cors",
    "user-agent: node",
    "accept-encoding: gzip, deflate",
    "content-length: 18",
    "",
    '{"sku":"\xc3\xa4","n":2}',
  ),
  // Python's requests
  message(
    "PUT /items/7 HTTP/1.1",
    "Host: localhost:8000",
    "User-Agent: python-requests/2.28.1",
    "Accept-Encoding: gzip, deflate",
    "Accept: */*",
    "Connection: keep-alive",
    "Content-Length: 2",
    "",
    "{}",
  ),
  // Java's HttpClient: an upgrade that nobody need take
  message(
    "HEAD /health HTTP/1.1",
    "Content-Length: 0",
    "Host: localhost:8000",
    "User-Agent: Java-http-client/17.0.9",
  ),
  // A load balancer's check
  message(
    "OPTIONS /ready HTTP/1.1",
    "Host: 10.0.0.7",
    "User-Agent: ELB-HealthChecker/2.0",
    "Accept-Encoding: gzip, compressed",
  ),
];

export const lifelikeAnswers: readonly string[] = [
  // nginx
  message(
    "HTTP/1.1 200 OK",
    "Server: nginx/1.22.1",
    "Date: Mon, 06 Jan 2025 10:00:00 GMT",
    "Content-Type: text/html",
    "Content-Length: 5",
    "Last-Modified: Mon, 06 Jan 2025 09:00:00 GMT",
    "Connection: keep-alive",
    'ETag: "677b9d90-5"',
    "Accept-Ranges: bytes",
    "",
    "<br>\n",
  ),
  // Express
  message(
    "HTTP/1.1 404 Not Found",
    "X-Powered-By: Express",
    "Content-Security-Policy: default-src 'none'",
    "X-Content-Type-Options: nosniff",
    "Content-Type: text/html; charset=utf-8",
    "Content-Length: 4",
    "Date: Mon, 06 Jan 2025 10:00:00 GMT",
    "Connection: keep-alive",
    "Keep-Alive: timeout=5",
    "",
    "none",
  ),
  // Go's net/http, flushed
  message(
    "HTTP/1.1 200 OK",
    "Content-Type: text/event-stream",
    "Date: Mon, 06 Jan 2025 10:00:00 GMT",
    "Transfer-Encoding: chunked",
    "",
    "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n",
  ),
  // A bucket
  message(
    "HTTP/1.1 206 Partial Content",
    "x-amz-id-2: Zm9vYmFy",
    "x-amz-request-id: 0A49CE4060975EAC",
    'ETag: "b1946ac92492d2347c6235b4d2611184"',
    "Content-Range: bytes 0-2/10",
    "Content-Type: application/octet-stream",
    "Server: AmazonS3",
    "Content-Length: 3",
    "",
    "\x00\xff\x01",
  ),
  // A gRPC-web gateway: trailers
  message(
    "HTTP/1.1 200 OK",
    "content-type: application/grpc-web+proto",
    "transfer-encoding: chunked",
    "trailer: grpc-status",
    "",
    "5\r\n\x00\x00\x00\x00\x00\r\n0\r\ngrpc-status: 0\r\n\r\n",
  ),
];

/** Lines of a head, and after an empty one the body. */
function message(...lines: string[]): string {
  return lines.includes("") ? lines.join("\r\n") : [...lines, "", ""].join("\r\n");
}
