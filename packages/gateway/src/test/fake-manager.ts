import { EventEmitter, on, once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  api,
  type DecisionReport,
  type GatewayInfo,
  type Preview,
  type PreviewEvent,
  type PreviewVisit,
  type RoutingKeys,
} from "@clew/control";
import { createServer } from "@clew/rpc";

export type PublishedNotice = Partial<Pick<PreviewEvent, "ended" | "revokedVisitors" | "visitorKey">>;

/** A manager that lists previews and keeps what is reported. */
export interface FakeManager extends AsyncDisposable {
  readonly url: string;
  readonly gateways: readonly GatewayInfo[];
  readonly reports: readonly DecisionReport[];
  /** What gateways told of visitors. */
  readonly visits: readonly PreviewVisit[];
  publish(previews: readonly Preview[], notice?: PublishedNotice): void;
  stop(): Promise<void>;
}

export async function startFakeManager(keys?: RoutingKeys): Promise<FakeManager> {
  const changes = new EventEmitter();
  const gateways: GatewayInfo[] = [];
  const reports: DecisionReport[] = [];
  const visits: PreviewVisit[] = [];
  let previews: readonly Preview[] = [];
  let notice: PublishedNotice = {};
  const rpc = createServer({ service: "manager", checkResults: true })
    .implementStream(api.previews.watch, async function* ({ gateway }, { signal }) {
      gateways.push(gateway);
      const changed = on(changes, "previews", { signal });
      const snapshot = (): PreviewEvent => ({ kind: "snapshot", previews, keys, ...notice });
      yield snapshot();
      for await (const _ of changed) yield snapshot();
    })
    .implement(api.previews.visits, (report) => {
      visits.push(...report.visits);
      return {};
    })
    .implement(api.decisions.report, ({ decisions }) => {
      reports.push(...decisions);
      return {};
    });
  const http = createHttpServer((request, response) => rpc.handle(request, response));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const stop = async (): Promise<void> => {
    if (!http.listening) return;
    await rpc.close();
    http.close();
    http.closeAllConnections();
    await once(http, "close");
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    gateways,
    reports,
    visits,
    publish(newPreviews, newNotice = {}) {
      previews = newPreviews;
      notice = newNotice;
      changes.emit("previews");
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
