import { createManagerClient, type ManagerClient } from "@clew/control";
import { isClewError } from "@clew/errors";
import type { CliContext } from "../cli-context.ts";
import { type FoundManager, findManager } from "../config/find-manager.ts";
import { CliError } from "../errors.ts";
import { commandName } from "../output/command-name.ts";

export interface ManagerAccess extends FoundManager {
  readonly client: ManagerClient;
}

/** The manager that this command is for, found but not yet spoken to. */
function openManager(cli: CliContext, flag: string | undefined): ManagerAccess {
  const found = findManager(flag, cli.env, cli.cwd);
  const { url, token } = found;
  return {
    ...found,
    client: createManagerClient({ url, service: "clew-cli", ...(token === undefined ? {} : { token }) }),
  };
}

/** Speaks to the manager; when nobody answers, the error says where it was looked for and why there. */
export async function withManager<T>(
  cli: CliContext,
  flag: string | undefined,
  work: (access: ManagerAccess) => Promise<T>,
): Promise<T> {
  const access = openManager(cli, flag);
  try {
    return await work(access);
  } catch (error) {
    // An error of ours with this code is about somebody else, such as the URL of an explained request.
    const isManagers = isClewError(error) && !(error instanceof CliError);
    if (isManagers && error.code === "UNAVAILABLE") throw unreachable(cli, access, error);
    throw error;
  } finally {
    access.client.close();
  }
}

function unreachable(cli: CliContext, { url, source }: ManagerAccess, cause: Error): CliError {
  return new CliError(
    "E_MANAGER_UNREACHABLE",
    `no manager answers at ${url} (from ${source}): ${cause.message}`,
    {
      hint: `Start one: ${commandName(cli.env)} up\nOr name another: --manager URL, or CLEW_MANAGER`,
      retryable: true,
      cause,
    },
  );
}
