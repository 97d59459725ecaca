/** Any JSON value. Numbers that JavaScript cannot hold exactly keep their text on the wire until they are changed. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };
