import { context, emptyContext, extractContext, injectContext } from "@clew/context";
import { serviceName } from "./service-name.ts";

/** A `Worker`, `parentPort` or `MessagePort` of `node:worker_threads`, as far as it is needed. */
export interface MessageEnd<Transferable = never> {
  postMessage(value: unknown, transfer?: readonly Transferable[]): void;
  on(event: "message", listener: (value: unknown) => void): unknown;
  off(event: "message", listener: (value: unknown) => void): unknown;
}

/** A port whose messages travel with a context each. */
export interface ContextPort<Transferable = never> {
  /** Sends a value with the context of the scope it is called in. */
  postMessage(value: unknown, transfer?: readonly Transferable[]): void;
  /** Calls `listener` for each message, in the scope of the context it came with. Returns what ends that. */
  onMessage(listener: (value: unknown) => void): () => void;
}

/** Under this name the context stands beside the value; no structured clone of an application's has it by accident. */
const envelopeKey = "clew.context";

/**
 * Carries contexts between threads, for both ends of a port that ask for it. Not done without being asked: a message
 * has no place beside its value, so it takes an envelope, which whoever reads the port in another way would get to see.
 * What such a sender sends arrives as it is, in an empty context.
 */
export function contextPort<Transferable = never>(
  port: MessageEnd<Transferable>,
  service: string = serviceName(process.env),
): ContextPort<Transferable> {
  return {
    postMessage(value, transfer) {
      const fields: Record<string, string> = {};
      const current = context.current() ?? emptyContext;
      injectContext(current, (name, text) => Object.assign(fields, { [name]: text }), { service });
      port.postMessage({ [envelopeKey]: fields, value }, transfer);
    },
    onMessage(listener) {
      const open = (message: unknown): void => {
        const fields = fieldsOf(message);
        if (fields === undefined) context.run(emptyContext, () => listener(message));
        else {
          const sent = extractContext((name) => textOf(fields, name));
          context.run(sent, () => listener((message as { value?: unknown }).value));
        }
      };
      port.on("message", open);
      return () => void port.off("message", open);
    },
  };
}

function fieldsOf(message: unknown): object | undefined {
  if (typeof message !== "object" || message === null || !Object.hasOwn(message, envelopeKey))
    return undefined;
  const fields: unknown = Reflect.get(message, envelopeKey);
  return typeof fields === "object" && fields !== null ? fields : undefined;
}

function textOf(fields: object, name: string): string | undefined {
  const text: unknown = Object.hasOwn(fields, name) ? Reflect.get(fields, name) : undefined;
  return typeof text === "string" ? text : undefined;
}
