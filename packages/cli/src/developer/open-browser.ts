import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Has the system open a URL in its browser; BROWSER names another program. Resolves with whether that was begun: nobody can
 * see more from here.
 */
export function openBrowser(url: string, env: Environment): Promise<boolean> {
  const [program = "", ...args] = opener(env, process.platform);
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}

function opener(env: Environment, platform: NodeJS.Platform): readonly string[] {
  const chosen = env["BROWSER"];
  if (chosen !== undefined && chosen !== "") return chosen.split(/\s+/);
  if (platform === "darwin") return ["open"];
  // Not by `cmd /c start`, in whose arguments an & would begin another command.
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return ["xdg-open"];
}
