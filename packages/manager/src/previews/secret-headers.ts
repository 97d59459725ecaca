type Headers = ReadonlyArray<readonly [name: string, value: string]>;

/** Names behind which people keep secrets. */
const secretName = /auth|token|secret|passw|api-?key|session|credential/;

/** Headers as a list may show them: a value that lets somebody in is not told to whoever lists previews, nor to a log of CI. */
export function withoutSecrets(headers: Headers): Headers {
  return headers.map(([name, value]) => [name, secretName.test(name) ? "(hidden)" : value]);
}
