import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "@clew/context";
import { hostOf } from "./authority.ts";
import { ManagerError } from "./manager-error.ts";
import { hashSecret, isSecret } from "./secret.ts";

/** Who may talk to the manager: whoever shows the token, or, where none is set, this machine's own programs. */
export interface Access {
  /**
   * `E_HOST_REFUSED` for a request that a web page of somebody else may have made. Without a token, whatever reaches
   * loopback is trusted, and a browser on this machine does so for any page whose name is made to resolve to
   * 127.0.0.1 (DNS rebinding); the name in Host, or the page's Origin, gives it away.
   */
  refuseRequest(request: Pick<IncomingMessage, "headers">): ManagerError | undefined;
  /** `E_UNAUTHENTICATED` for a request whose `Authorization: Bearer` is not the token. */
  refuseToken(request: Pick<IncomingMessage, "headers">): ManagerError | undefined;
  isToken(token: string | undefined): boolean;
}

export function createAccess(token: string | undefined): Access {
  const hash = token === undefined ? undefined : hashSecret(token);
  const isToken = (presented: string | undefined): boolean =>
    hash === undefined || (presented !== undefined && isSecret(presented, hash));

  return {
    isToken,

    refuseRequest({ headers: { host, origin } }) {
      if (hash !== undefined) return undefined;
      if (host === undefined || !isLoopbackHost(hostOf(host))) return hostRefused("Host", host);
      if (origin !== undefined && !isLoopbackHost(hostOf(origin.replace(/^https?:\/\//, "")))) {
        return hostRefused("Origin", origin);
      }
      return undefined;
    },

    refuseToken({ headers: { authorization } }) {
      const presented = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
      if (isToken(presented)) return undefined;
      const fault =
        presented === undefined ? "The call carries no token" : "The call's token is not this manager's";
      return new ManagerError("E_UNAUTHENTICATED", `${fault}.`, {
        hint: "Send the manager's token as Authorization: Bearer.",
      });
    },
  };
}

function hostRefused(header: string, value: string | undefined): ManagerError {
  const what =
    value === undefined ? "names no host" : `names ${value.slice(0, 100)}, which is not this machine`;
  return new ManagerError("E_HOST_REFUSED", `The ${header} of the request ${what}.`, {
    hint: "A manager without a token answers only to loopback names; reach it at 127.0.0.1, or set a token.",
  });
}
