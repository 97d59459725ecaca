import assert from "node:assert/strict";
import { test } from "node:test";
import { grpcHosts } from "./grpc-target.ts";

const channel = (target: string, defaultAuthority?: string): Parameters<typeof grpcHosts>[0] => ({
  getTarget: () => target,
  internalChannel: { defaultAuthority },
});

test("the hosts of a target, however it is written, each once", () => {
  const cases: [string, string[]][] = [
    ["dns:orders:50051", ["orders"]],
    ["dns:///orders.svc:50051", ["orders.svc"]],
    ["dns://8.8.8.8/orders", ["orders"]],
    ["ipv4:10.0.0.1:50051,10.0.0.2:50051", ["10.0.0.1", "10.0.0.2"]],
    ["ipv6:[2001:db8::1]:50051", ["[2001:db8::1]"]],
    ["xds:///orders", ["orders"]],
  ];
  for (const [target, hosts] of cases) assert.deepEqual(grpcHosts(channel(target), undefined), hosts, target);
});

test("behind a proxy both it and the target count, and so does an authority of the channel or the call", () => {
  const proxied = channel("dns:proxy:3128", "api.example.com:443");
  assert.deepEqual(grpcHosts(proxied, undefined), ["proxy", "api.example.com"]);
  assert.deepEqual(grpcHosts(proxied, "other.example.com"), ["proxy", "other.example.com"]);
  assert.deepEqual(grpcHosts({ getTarget: () => "dns:orders:1", defaultAuthority: "orders:1" }, null), [
    "orders",
  ]);
});

test("by a socket of the file system nothing leaves the machine", () => {
  for (const target of ["unix:/run/orders.sock", "unix:///run/orders.sock", "unix-abstract:orders"]) {
    assert.deepEqual(grpcHosts(channel(target, "localhost"), undefined), [], target);
  }
});
