import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@clew/testing";
import type { GatewayOptions } from "../gateway-options.ts";
import { startGateway } from "../start-gateway.ts";
import { silentLog, startFixture } from "./gateway-fixture.ts";

test("a gateway introduces itself with the addresses of previews", async () => {
  await using fixture = await startFixture({ previewsDomain: "Preview.Example" });
  const info = await until(() => fixture.manager.gateways[0]);
  const { id, url, previewUrl } = fixture.gateway;
  assert.deepEqual(info, { id, url, previewUrl, ingresses: [] });
  assert.equal(url, `http://127.0.0.1:${fixture.port}/`);
  assert.equal(previewUrl, `http://{slug}.preview.example:${fixture.port}/`);
});

const options: GatewayOptions = {
  listen: { host: "127.0.0.1", port: 0 },
  ingress: { host: "127.0.0.1", port: 1, service: "storefront" },
  accept: [],
  manager: { url: "http://127.0.0.1:1" },
  log: silentLog,
};

test("listening where others can reach it, without a token for the manager, is refused", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.com"]) {
    const start = startGateway({ ...options, listen: { host, port: 0 } });
    await assert.rejects(start, { code: "E_GATEWAY_EXPOSED", message: /others can reach/ }, host);
  }
});

test("fields that cannot be accepted are refused at the start", async () => {
  for (const name of ["clew-route", "caller", ""]) {
    await assert.rejects(startGateway({ ...options, accept: [name] }), { code: "E_GATEWAY_ACCEPT" }, name);
  }
});
