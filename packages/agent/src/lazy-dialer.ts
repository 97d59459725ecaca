import type { SessionDialer, SessionDialerOptions } from "@clew/tunnel";

/**
 * A {@link SessionDialer} whose code is loaded with the first connection to a session: HTTP/2 and TLS are 8 MiB, and most agents
 * of a system never send a request through a tunnel.
 */
export function createLazyDialer(options: SessionDialerOptions): SessionDialer {
  let loading: Promise<SessionDialer> | undefined;
  let isClosed = false;
  const load = async (): Promise<SessionDialer> => {
    const { createSessionDialer } = await import("@clew/tunnel");
    const dialer = createSessionDialer(options);
    if (isClosed) dialer.close();
    return dialer;
  };
  return {
    async connect(target, signal) {
      loading ??= load();
      return (await loading).connect(target, signal);
    },
    close() {
      isClosed = true;
      loading?.then(
        (dialer) => dialer.close(),
        // Told to whoever wanted to connect.
        () => {},
      );
    },
  };
}
