/** Run by heap.test.ts with --expose-gc: serves requests, and tells how many of their contexts are still held. */
import { context, extractContext, injectContext, isInternalDestination, joinContexts } from "../index.ts";

const requests = Number(process.argv[2]);
const batchSize = 1_000;
/** Collections until those that are left count as held; each lets finalisers run. */
const maxCollections = 50;

/** False while the process warms up. */
let isCounting = false;
let made = 0;
let collected = 0;
const registry = new FinalizationRegistry<undefined>(() => collected++);

function watch(context: object): void {
  if (!isCounting) return;
  made++;
  registry.register(context, undefined);
}

/** One request as a service handles it: in, awaited, changed, out to another one. */
async function serve(id: number): Promise<void> {
  const headers: Record<string, string> = {
    baggage: `tenant_id=t${id},flags=json:[1],padding=${"x".repeat(200)}`,
    traceparent: `00-${id.toString(16).padStart(32, "1")}-b7ad6b7169203331-01`,
    "x-forrst-caller": "storefront",
  };
  const received = extractContext((name) => headers[name]);
  watch(received);
  await context.run(received, async () => {
    await new Promise(setImmediate);
    context.get("tenant_id");
    context.with({ step: id }, () => {
      const current = context.current() ?? received;
      watch(current);
      isInternalDestination(`host-${id}.internal`);
      injectContext(
        joinContexts([current, received], {}, () => undefined),
        () => undefined,
        { service: "orders" },
      );
    });
  });
}

async function serveMany(count: number): Promise<void> {
  for (let done = 0; done < count; done += batchSize) {
    await Promise.all(Array.from({ length: batchSize }, (_, index) => serve(done + index)));
  }
}

const collect = globalThis.gc;
if (collect === undefined) throw new Error("run with --expose-gc");
await serveMany(10_000);
collect();
const before = process.memoryUsage().heapUsed;
isCounting = true;
await serveMany(requests);
for (let round = 0; round < maxCollections && collected < made; round++) {
  collect();
  await new Promise(setImmediate);
}
// What the finalisers themselves were kept by.
collect();
const grownBytes = process.memoryUsage().heapUsed - before;
process.stdout.write(JSON.stringify({ finished: made / 2, left: made - collected, grownBytes }));
