/** For servers whose certificate no public authority signed, and for servers that ask for the client's. PEM texts. */
export interface TlsClientOptions {
  /** Authorities to believe, in the place of the public ones. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}
