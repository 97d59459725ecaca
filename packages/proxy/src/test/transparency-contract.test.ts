import { transparencyContract } from "@clew/testing";
import { proxyTo } from "./fixture.ts";

transparencyContract("the proxy", { start: (to) => proxyTo({ to }) });
