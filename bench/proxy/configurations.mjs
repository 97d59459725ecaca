// @ts-check
// nginx and HAProxy as they are used for this: one process, connections to the back end kept, requests of one route sent
// elsewhere by what their baggage says.
import { divertedRoute, smallBytes } from "./request.mjs";

/** Longer than any run, so that no connection is closed in a turn because of its age. */
const idleSeconds = 600;
const manyRequests = 1_000_000_000;

const nginxCommon = (/** @type {string} */ folder) => `
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 16384; multi_accept on; }`;

const nginxHttp = (/** @type {string} */ folder) => `
  access_log off;
  tcp_nodelay on;
  keepalive_requests ${manyRequests};
  keepalive_timeout ${idleSeconds}s;
  client_max_body_size 100m;
  client_body_temp_path ${folder}/bodies;
  proxy_temp_path ${folder}/answers;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;`;

/**
 * The back end of all that is answered at once: `/small` and `/large`.
 * @param {{ folder: string, port: number }} options
 */
export function nginxBackEnd({ folder, port }) {
  return `${nginxCommon(folder)}
http {${nginxHttp(folder)}
  sendfile on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder}/files;
    default_type text/plain;
    location = /small { return 200 "${"s".repeat(smallBytes)}"; }
  }
}
`;
}

/** @param {{ folder: string, port: number, backEnd: number }} options */
export function nginxProxy({ folder, port, backEnd }) {
  const upstream = `server 127.0.0.1:${backEnd}; keepalive 256; keepalive_requests ${manyRequests}; keepalive_timeout ${idleSeconds}s;`;
  return `${nginxCommon(folder)}
http {${nginxHttp(folder)}
  map $http_baggage $destination { default live; "~clew-route=${divertedRoute}(,|$)" other; }
  map $http_upgrade $upstream_connection { default upgrade; "" ""; }
  upstream live { ${upstream} }
  upstream other { ${upstream} }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://$destination;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upstream_connection;
      proxy_request_buffering off;
    }
  }
}
`;
}

/** @param {{ port: number, backEnd: number }} options */
export function haproxyProxy({ port, backEnd }) {
  return `global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client ${idleSeconds}s
  timeout server ${idleSeconds}s
  timeout tunnel ${idleSeconds}s
  timeout http-keep-alive ${idleSeconds}s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  use_backend other if { req.hdr(baggage) -m sub clew-route=${divertedRoute} }
  default_backend live
backend live
  server live 127.0.0.1:${backEnd} pool-max-conn 1024
backend other
  server other 127.0.0.1:${backEnd} pool-max-conn 1024
`;
}

/** @param {{ service: string, port: number, backEnd: number, manager: number }} options */
export function clewYaml({ service, port, backEnd, manager }) {
  return `environment: bench
manager: { listen: "127.0.0.1:${manager}" }
services:
  ${service}: { ports: { http: { listen: "127.0.0.1:${port}", upstream: "127.0.0.1:${backEnd}" } } }
`;
}
