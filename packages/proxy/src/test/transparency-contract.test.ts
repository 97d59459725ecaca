import { transparencyContract } from "@clew/testing";
import { proxyTo } from "./fixture.ts";

transparencyContract("the proxy", { start: (to) => proxyTo({ to }) });

transparencyContract("the proxy where much is to do", {
  start: (to) => proxyTo({ to, limits: { busyWritesPerSecond: 0 } }),
});
