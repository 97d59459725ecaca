/** What a registry tells besides its results: nothing of it needs an answer. */
export type RegistryReport =
  /** A record that a killed process had half written, and so never acknowledged, was cut off. */
  | { readonly kind: "journal-torn"; readonly file: string; readonly offset: number; readonly bytes: number }
  /** The lock of a process that is no more was taken over. */
  | { readonly kind: "lock-taken-over"; readonly file: string; readonly pid: number | undefined }
  /** Nothing is lost: the journal stays, and is tried again when it is twice as long. */
  | { readonly kind: "snapshot-failed"; readonly cause: unknown }
  /** A lease that is due could not be ended; tried again soon. */
  | { readonly kind: "lease-end-failed"; readonly lease: string; readonly cause: unknown }
  /** This process did not run while a lease came due, so that no keep-alive could arrive; it got its full ttl again. */
  | { readonly kind: "lease-forgiven"; readonly lease: string; readonly lateMs: number }
  /** An endpoint did not answer; the next one is asked. */
  | { readonly kind: "endpoint-failed"; readonly endpoint: string; readonly cause: unknown }
  /** Events are late from now on; told once until `watch-resumed`. */
  | { readonly kind: "watch-broken"; readonly cause: unknown }
  | { readonly kind: "watch-resumed"; readonly afterRevision: number };

export type OnReport = (report: RegistryReport) => void;
