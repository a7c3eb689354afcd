import { lower, splitAddress } from "@qmail-mysql/wire";

/** The control files of qmail-send; hosts and keys in lower case. */
export interface SendControls {
  readonly envnoathost: string;
  readonly percenthack: ReadonlySet<string>;
  readonly locals: ReadonlySet<string>;
  /** The value is the prefix; a blank one excludes the host. */
  readonly virtualdomains: ReadonlyMap<string, string>;
}

/** A step of the decision: the entry of the control file that applied. */
export interface SendStep {
  readonly file: "envnoathost" | "percenthack" | "locals" | "virtualdomains" | undefined;
  readonly entry: string;
  /** The address after this step. */
  readonly address: string;
}

export interface Rewritten {
  readonly channel: "local" | "remote";
  /** The address passed to qmail-lspawn or qmail-rspawn. */
  readonly address: string;
  /** The last step is the one that chose the channel; its file is undefined when no entry did. */
  readonly steps: readonly SendStep[];
}

/** The entries of control/virtualdomains as a map: split at the first colon; of equal keys the last is used. */
export function virtualDomains(entries: Iterable<string>): Map<string, string> {
  const map = new Map<string, string>();
  for (const entry of entries) {
    const colon = entry.indexOf(":");
    if (colon >= 0) map.set(lower(entry.slice(0, colon)), entry.slice(colon + 1));
  }
  return map;
}

/** The keys of control/virtualdomains that match local@host, in the order tried: qmail-send(8). */
export function virtualDomainKeys(local: string, host: string): string[] {
  const name = lower(host);
  const keys = [`${lower(local)}@${name}`, name];
  for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    if (at > 0) keys.push(name.slice(at));
  }
  return [...keys, ""];
}

/** The channel that qmail-send chooses for a recipient, and the rewritten address. */
export function rewrite(recipient: string, controls: SendControls): Rewritten {
  const steps: SendStep[] = [];
  let address = recipient;
  if (!address.includes("@")) {
    address = `${address}@${controls.envnoathost}`;
    steps.push({ file: "envnoathost", entry: controls.envnoathost, address });
  }
  let { local, host } = splitAddress(address) ?? { local: address, host: "" };
  while (controls.percenthack.has(lower(host)) && local.includes("%")) {
    const percent = local.lastIndexOf("%");
    address = `${local.slice(0, percent)}@${local.slice(percent + 1)}`;
    steps.push({ file: "percenthack", entry: lower(host), address });
    ({ local, host } = { local: local.slice(0, percent), host: local.slice(percent + 1) });
  }
  const done = (
    channel: "local" | "remote",
    file: SendStep["file"],
    entry: string,
    to: string,
  ): Rewritten => ({
    channel,
    address: to,
    steps: [...steps, { file, entry, address: to }],
  });
  if (controls.locals.has(lower(host))) return done("local", "locals", lower(host), address);
  for (const key of virtualDomainKeys(local, host)) {
    const prefix = controls.virtualdomains.get(key);
    if (prefix === undefined) continue;
    // A blank prefix ends the search: the host is excluded from a less specific entry.
    return prefix === ""
      ? done("remote", "virtualdomains", key, address)
      : done("local", "virtualdomains", key, `${prefix}-${address}`);
  }
  return done("remote", undefined, "", address);
}
