/** A structured field token, told apart from a string by its type. Source: RFC 9651 §3.3.4. */
export class StructuredToken {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A number must be an integer of at most 15 digits; decimals, dates and byte sequences are not spoken here. */
export type StructuredValue = string | number | boolean | StructuredToken;

export interface StructuredItem {
  readonly value: StructuredValue;
  readonly parameters?: Readonly<Record<string, StructuredValue>> | undefined;
}

export const maxStructuredInteger = 999_999_999_999_999;

/** Throws `TypeError` for a key, token or number that RFC 9651 has no form for. */
export function formatStructuredItem(item: StructuredItem): string {
  return formatValue(item.value) + formatParameters(item.parameters);
}

/** Throws `TypeError` as {@link formatStructuredItem} does. Source: RFC 9651 §4.1.2. */
export function formatStructuredDictionary(members: Readonly<Record<string, StructuredItem>>): string {
  return Object.entries(members)
    .map(([key, item]) =>
      item.value === true
        ? formatKey(key) + formatParameters(item.parameters)
        : `${formatKey(key)}=${formatStructuredItem(item)}`,
    )
    .join(", ");
}

function formatParameters(parameters: StructuredItem["parameters"] = {}): string {
  let out = "";
  for (const [key, value] of Object.entries(parameters)) {
    out += value === true ? `;${formatKey(key)}` : `;${formatKey(key)}=${formatValue(value)}`;
  }
  return out;
}

function formatKey(key: string): string {
  if (!/^[a-z*][a-z0-9_\-.*]*$/.test(key)) throw new TypeError(`"${key}" is no structured field key.`);
  return key;
}

function formatValue(value: StructuredValue): string {
  if (typeof value === "boolean") return value ? "?1" : "?0";
  if (typeof value === "number") return formatInteger(value);
  if (typeof value === "string") return formatString(value);
  if (!/^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(value.name)) {
    throw new TypeError(`"${value.name}" is no structured field token.`);
  }
  return value.name;
}

function formatInteger(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) > maxStructuredInteger) {
    throw new TypeError(`${value} is no structured field integer.`);
  }
  return String(value === 0 ? 0 : value);
}

/** A String where ASCII suffices, else a Display String. Source: RFC 9651 §4.1.6 and §4.1.11. */
function formatString(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return `"${value.replace(/["\\]/g, "\\$&")}"`;
  let out = "";
  for (const byte of new TextEncoder().encode(value)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && byte !== 0x22;
    out += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return `%"${out}"`;
}
