/** Messages that programs wrote to, and read from, a bare connection on one machine. Latin1: a character is a byte. */
export const recordedRequests: readonly string[] = [
  // curl 7.88
  message("GET /path?x=1 HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: curl/7.88.1", "Accept: */*", "", ""),
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
  // curl 7.88, -T -
  message(
    "PUT /up HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: curl/7.88.1",
    "Accept: */*",
    "Transfer-Encoding: chunked",
    "",
    "5\r\nhello\r\n0\r\n\r\n",
  ),
  // curl 7.88, -I
  message("HEAD / HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: curl/7.88.1", "Accept: */*", "", ""),
  // curl 7.88, -0
  message("GET / HTTP/1.0", "Host: 127.0.0.1:8080", "User-Agent: curl/7.88.1", "Accept: */*", "", ""),
  // Wget 1.21
  message(
    "GET /file HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: Wget/1.21.3",
    "Accept: */*",
    "Accept-Encoding: identity",
    "Connection: Keep-Alive",
    "",
    "",
  ),
  // Python 3.11, urllib
  message(
    "GET /py?q=1 HTTP/1.1",
    "Accept-Encoding: identity",
    "Host: 127.0.0.1:8080",
    "User-Agent: Python-urllib/3.11",
    "Connection: close",
    "",
    "",
  ),
  // Python 3.11, urllib
  message(
    "PUT /items/7 HTTP/1.1",
    "Accept-Encoding: identity",
    "Content-Length: 2",
    "Host: 127.0.0.1:8080",
    "User-Agent: Python-urllib/3.11",
    "Content-Type: application/json",
    "Connection: close",
    "",
    "{}",
  ),
  // Python 3.11, http.client
  message(
    "POST /c HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "Accept-Encoding: identity",
    "Transfer-Encoding: chunked",
    "",
    "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
  ),
  // Node 24, fetch
  message(
    "POST /rpc HTTP/1.1",
    "host: 127.0.0.1:8080",
    "connection: keep-alive",
    "content-type: application/json",
    "baggage: clew-route=alice,tenant=acme",
    "accept: */*",
    "accept-language: *",
    "sec-fetch-mode: cors",
    "user-agent: node",
    "accept-encoding: gzip, deflate",
    "content-length: 18",
    "",
    '{"sku":"\xc3\xa4","n":2}',
  ),
  // Node 24, fetch
  message(
    "GET /x HTTP/1.1",
    "host: 127.0.0.1:8080",
    "connection: keep-alive",
    "accept: */*",
    "accept-language: *",
    "sec-fetch-mode: cors",
    "user-agent: node",
    "accept-encoding: gzip, deflate",
    "",
    "",
  ),
  // Node 24, fetch with a stream
  message(
    "POST /s HTTP/1.1",
    "host: 127.0.0.1:8080",
    "connection: keep-alive",
    "accept: */*",
    "accept-language: *",
    "sec-fetch-mode: cors",
    "user-agent: node",
    "accept-encoding: gzip, deflate",
    "transfer-encoding: chunked",
    "",
    "5\r\nhello\r\n0\r\n\r\n",
  ),
  // Node 24, http.request
  message(
    "POST /n HTTP/1.1",
    "Trailer: X-Sum",
    "Host: 127.0.0.1:8080",
    "Connection: keep-alive",
    "Transfer-Encoding: chunked",
    "",
    "4\r\npart\r\n0\r\nX-Sum: 1\r\n\r\n",
  ),
  // Node 24, http.request
  message("DELETE /n HTTP/1.1", "Host: 127.0.0.1:8080", "Connection: keep-alive", "", ""),
  // Go 1.19, net/http
  message(
    "GET /g HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: Go-http-client/1.1",
    "Accept-Encoding: gzip",
    "",
    "",
  ),
  // Go 1.19, net/http
  message(
    "POST /gp HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: Go-http-client/1.1",
    "Content-Length: 4",
    "Content-Type: text/plain",
    "Accept-Encoding: gzip",
    "",
    "body",
  ),
  // Go 1.19, net/http
  message(
    "POST /gc HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "User-Agent: Go-http-client/1.1",
    "Transfer-Encoding: chunked",
    "Content-Type: text/plain",
    "Accept-Encoding: gzip",
    "",
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  ),
  // Chromium 156
  message(
    "GET /index.html HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "Connection: keep-alive",
    'sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
    "",
    "",
  ),
];

export const recordedAnswers: readonly string[] = [
  // Node 24, http
  message(
    "HTTP/1.1 200 OK",
    "content-type: application/json",
    "set-cookie: a=b",
    "set-cookie: c=d; Path=/",
    "Date: Sat, 21 Nov 2026 16:37:29 GMT",
    "Connection: close",
    "Content-Length: 2",
    "",
    "{}",
  ),
  // Node 24, http, in pieces
  message(
    "HTTP/1.1 200 OK",
    "Date: Sat, 21 Nov 2026 16:37:29 GMT",
    "Connection: close",
    "Transfer-Encoding: chunked",
    "",
    "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
  ),
  // Node 24, http, with a trailer
  message(
    "HTTP/1.1 200 OK",
    "trailer: x-sum",
    "Date: Sat, 21 Nov 2026 16:37:29 GMT",
    "Connection: close",
    "Transfer-Encoding: chunked",
    "",
    "1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n",
  ),
  // Node 24, http
  message("HTTP/1.1 204 No Content", "Date: Sat, 21 Nov 2026 16:37:29 GMT", "Connection: close", "", ""),
  // Python 3.11, http.server
  message(
    "HTTP/1.0 404 File not found",
    "Server: SimpleHTTP/0.6 Python/3.11.7",
    "Date: Sat, 21 Nov 2026 16:37:30 GMT",
    "Connection: close",
    "Content-Type: text/html;charset=utf-8",
    "Content-Length: 335",
    "",
    '<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n        <p>Error code explanation: 404 - Nothing matches the given URI.</p>\n    </body>\n</html>\n',
  ),
  // nginx 1.22, filtered
  message(
    "HTTP/1.1 200 OK",
    "Server: nginx/1.22.1",
    "Date: Sat, 21 Nov 2026 16:37:31 GMT",
    "Content-Type: text/html",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "",
    "5\r\n<br>\n\r\n0\r\n\r\n",
  ),
  // nginx 1.22
  message(
    "HTTP/1.1 404 Not Found",
    "Server: nginx/1.22.1",
    "Date: Sat, 21 Nov 2026 16:37:31 GMT",
    "Content-Type: text/html",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "",
    "99\r\n<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n\r\n0\r\n\r\n",
  ),
  // nginx 1.22
  message(
    "HTTP/1.1 301 Moved Permanently",
    "Server: nginx/1.22.1",
    "Date: Sat, 21 Nov 2026 16:37:31 GMT",
    "Content-Type: text/html",
    "Location: http://h:8092/a.html",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "",
    "a9\r\n<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n<center><h1>301 Moved Permanently</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n\r\n0\r\n\r\n",
  ),
];

/** Lines of a head, an empty one, and the body. */
function message(...lines: string[]): string {
  return lines.join("\r\n");
}
