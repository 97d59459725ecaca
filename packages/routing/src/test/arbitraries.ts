import fc from "fast-check";
import type { Condition, Override, RoutableRequest, Rule, Table } from "../types.ts";

// Few values, so that rules and requests meet often.
const value = fc.constantFrom("a", "ab", "abc", "b", "");
const path = fc.constantFrom("/", "/a", "/a/b", "/a/b/c", "/b");
const pattern = fc.constantFrom("a.*", "a|b", ".*b", "[^a]*", "abc?");
const network = fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "fd00::/8", "fd00::1");
const address = fc.constantFrom("10.1.2.3", "::ffff:10.1.9.9", "10.9.9.9", "fd00::1", "fe80::1%eth0");
const pathPattern = fc.constantFrom("/a.*", "/(a|b)", ".*/b");
const name = fc.constantFrom("x", "y");
const route = fc.constantFrom("red", "green", "blue");
const id = fc.uuid();
const createdAt = fc.integer({ min: 1, max: 3 });

function comparison(
  exact: fc.Arbitrary<string>,
  regular: fc.Arbitrary<string>,
): fc.Arbitrary<Pick<Condition, "equals" | "prefix" | "pattern">> {
  return fc.oneof(
    fc.record({ equals: exact }),
    fc.record({ prefix: exact.filter((text) => text !== "") }),
    fc.record({ pattern: regular }),
  );
}

const conditions: fc.Arbitrary<Condition> = fc.oneof(
  fc
    .tuple(fc.constantFrom("field" as const, "header" as const), name, comparison(value, pattern))
    .map(([on, of, how]) => ({ on, name: of, ...how })),
  comparison(path, pathPattern).map((how) => ({ on: "path" as const, ...how })),
  fc.constantFrom("GET", "POST").map((equals) => ({ on: "method" as const, equals })),
  network.map((prefix) => ({ on: "client" as const, prefix })),
);

export const overrides: fc.Arbitrary<Override> = fc.record({
  id,
  route,
  service: fc.constantFrom("orders", "orders", "pricing"),
  port: fc.constantFrom("http", "http", "grpc"),
  target: fc.constant({ kind: "address" as const, url: "http://127.0.0.1:9101" }),
  owner: fc.constantFrom("ann", "bob"),
  createdAt,
  onFailure: fc.constantFrom("live" as const, "error" as const),
});

export const rules: fc.Arbitrary<Rule> = fc.record({
  id,
  service: fc.constant("orders"),
  port: fc.constantFrom("http", "http", "http", "grpc"),
  owner: fc.constantFrom("ann", "bob"),
  priority: fc.constantFrom(0, 0, 1),
  conditions: fc.array(conditions, { minLength: 1, maxLength: 3 }),
  override: overrides,
  createdAt,
});

export const tables: fc.Arbitrary<Table> = fc.record({
  revision: fc.constant(1),
  service: fc.constant("orders"),
  overrides: fc.uniqueArray(overrides, { selector: (entry) => entry.id, maxLength: 8 }),
  rules: fc.uniqueArray(rules, { selector: (entry) => entry.id, maxLength: 8 }),
  wiretaps: fc.uniqueArray(overrides, { selector: (entry) => entry.id, maxLength: 4 }),
});

interface RequestParts {
  readonly method: string;
  readonly path: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly client: string | undefined;
  readonly key: RoutableRequest["key"];
}

const parts: fc.Arbitrary<RequestParts> = fc.record({
  method: fc.constantFrom("GET", "POST"),
  path,
  texts: fc.dictionary(fc.constantFrom("field x", "field y", "header x", "header y"), value),
  client: fc.option(address, { nil: undefined }),
  key: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ status: "none" as const }) },
    fc.record({ status: fc.constantFrom("open" as const, "valid" as const, "expired" as const), route }),
    fc.constant({ status: "invalid" as const }),
  ),
});

export const requests: fc.Arbitrary<RoutableRequest> = parts.map(createRequest);

export function createRequest(from: Partial<RequestParts>): RoutableRequest {
  return {
    method: from.method ?? "GET",
    path: from.path ?? "/",
    header: (wanted) => from.texts?.[`header ${wanted}`],
    field: (wanted) => from.texts?.[`field ${wanted}`],
    client: from.client,
    key: from.key ?? { status: "none" },
  };
}

export function createOverride(changes: Partial<Override> = {}): Override {
  return {
    id: "o1",
    route: "red",
    service: "orders",
    port: "http",
    target: { kind: "address", url: "http://127.0.0.1:9101" },
    owner: "ann",
    createdAt: 1,
    onFailure: "live",
    ...changes,
  };
}

export function createRule(changes: Partial<Rule> = {}): Rule {
  return {
    id: "r1",
    service: "orders",
    port: "http",
    owner: "ann",
    priority: 0,
    conditions: [{ on: "field", name: "x", equals: "a" }],
    override: createOverride(),
    createdAt: 1,
    ...changes,
  };
}

export function createTable(changes: Partial<Table> = {}): Table {
  return { revision: 1, service: "orders", overrides: [], rules: [], wiretaps: [], ...changes };
}
