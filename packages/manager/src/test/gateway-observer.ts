import type { GatewayInfo, Preview, PreviewEvent } from "@clew/control";
import { until } from "@clew/testing";
import type { Fixture } from "./manager-fixture.ts";

export const localGateway: GatewayInfo = {
  id: "g",
  previewUrl: "http://{slug}.preview.localhost:8000/",
  url: "http://127.0.0.1:8000/",
};

/** What a gateway is told. Ends with the manager, which a test would see by what is missing. */
export class GatewayObserver {
  readonly events: PreviewEvent[] = [];

  constructor({ client }: Pick<Fixture, "client">, gateway: GatewayInfo = localGateway) {
    const read = async (): Promise<void> => {
      for await (const event of client.previews.watch({ gateway })) this.events.push(event);
    };
    void read().catch(() => {});
  }

  get last(): PreviewEvent | undefined {
    return this.events.at(-1);
  }

  /** Resolves with what it was told last, once that is as wanted. */
  when(isWanted: (event: PreviewEvent) => boolean, what: string): Promise<PreviewEvent> {
    return until(() => (this.last && isWanted(this.last) ? this.last : undefined), { what });
  }

  preview(slug: string): Preview | undefined {
    return this.last?.previews.find((preview) => preview.slug === slug);
  }
}
