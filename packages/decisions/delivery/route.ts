import { type GetpwPorts, type GetpwSettings, getpw } from "@qmail-mysql/accounts";
import {
  type AliasRow,
  type Assigned,
  aliasKeys,
  type Control,
  type FindAliases,
  magicTarget,
} from "@qmail-mysql/routing";
import { QLX_NOALIAS, QLX_ROOT } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";

/** Ports: the lookups for an address. Each throws on trouble. */
export interface RoutePorts extends GetpwPorts {
  /** Looks up users/cdb; undefined also if the file does not exist. */
  readonly inCdb: (local: string) => Assigned | undefined;
  readonly findAliases: FindAliases;
  readonly settings: GetpwSettings;
}

export interface Route {
  readonly control: Control;
  /** The alias rows that qmail-local would find. */
  readonly aliases: readonly AliasRow[];
}

/**
 * Returns who controls local@host and the alias rows that may apply; or a status, as of qmail-getpw. Throws on trouble,
 * and Held.
 */
export async function route(local: string, host: string, ports: RoutePorts): Promise<Route | number> {
  const assigned = ports.inCdb(local);
  if (assigned) ports.explain?.(`users/cdb: ${assigned.entry}`);
  const control = assigned?.control ?? (await getpw(local, ports.settings, ports, host));
  if (!control) return QLX_NOALIAS;
  if (control.uid === 0) return QLX_ROOT;
  const { user, ext } = control;
  const isMagic = ports.settings.magicForwarding && magicTarget(user, local, ext) !== undefined;
  const aliases = isMagic ? [] : await ports.findAliases(lower(user), aliasKeys(ext, host));
  return { control, aliases };
}
