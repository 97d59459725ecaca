import type { Inherited } from "@clew/proxy";

/** What this process got from another to listen on. Asked once per address, when it is about to be listened on. */
export type InheritedListeners = (address: string) => Promise<Inherited | undefined>;

/** systemd hands descriptors over from this one on. Source: sd_listen_fds(3). */
const firstDescriptor = 3;

/** Whether a systemd socket unit gave this process descriptors. From here on they are its children's as well: workers ask for them. */
export function shareSystemdListeners(env: Record<string, string | undefined>, pid: number): boolean {
  if (!hasDescriptors(env, pid)) return false;
  delete env["LISTEN_PID"];
  return true;
}

function hasDescriptors(
  { LISTEN_PID: forPid, LISTEN_FDS: count }: Record<string, string | undefined>,
  pid: number,
): boolean {
  return count !== undefined && /^\d{1,4}$/.test(count) && (forPid === undefined || Number(forPid) === pid);
}

/**
 * Descriptors of a systemd socket unit (`LISTEN_FDS`), for the addresses in their order. With names (`FileDescriptorName=`,
 * `LISTEN_FDNAMES`) each goes to the address of that name instead. Undefined when this process has none. Takes the variables
 * away, as they are not for its children.
 */
export function systemdListeners(
  env: Record<string, string | undefined>,
  pid: number,
  addresses: ReadonlyArray<{ readonly name: string; readonly address: string }>,
): InheritedListeners | undefined {
  const { LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  const isOurs = hasDescriptors(env, pid);
  delete env["LISTEN_PID"];
  delete env["LISTEN_FDS"];
  delete env["LISTEN_FDNAMES"];
  if (!isOurs) return undefined;
  const given = names?.split(":") ?? [];
  const isNamed = addresses.some(({ name }) => given.includes(name));
  const descriptors = new Map<string, Inherited>();
  for (let index = 0; index < Number(count); index++) {
    const wanted = isNamed ? addresses.find(({ name }) => name === given[index]) : addresses[index];
    if (wanted !== undefined) descriptors.set(wanted.address, { fd: firstDescriptor + index });
  }
  return async (address) => descriptors.get(address);
}
