// @ts-check
// What every server under test does: look at two arguments, and answer with an order that has so many lines.
import { z } from "zod";

/** The arguments, validated wherever a server validates. */
export const orderArguments = z.object({ id: z.string().min(1), lines: z.int().min(0).max(1_000) });

const line = {
  sku: "WIDGET-0001",
  title: "A widget of the usual kind",
  quantity: 2,
  price: "19.99",
  tags: ["a", "b"],
};

/** @param {{ id: string, lines: number }} args */
export function findOrder({ id, lines }) {
  return { id, status: "open", total: 39.98, lines: Array.from({ length: lines }, () => line) };
}

/** A small call, and one with about 10 KB to answer. */
export const loads = [
  { name: "small", lines: 0 },
  { name: "10 KB", lines: 90 },
];

/** Of the wire, for the servers that speak it. */
export const forrstFunction = "orders.get";
