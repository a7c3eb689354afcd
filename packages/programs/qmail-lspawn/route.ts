import {
  type FindSystemAccounts,
  type Settings as GetpwSettings,
  getpw,
  Held,
  type HomeOwner,
} from "@qmail-mysql/accounts";
import { type AliasRow, aliasKeys, type FindAliases, magicTarget } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";
import type { Control } from "./users-cdb.ts";

/** Ports: what is asked about an address. Each throws on trouble. */
export interface RouteWorld extends Omit<Parameters<typeof getpw>[2], "findSystemAccounts" | "homeOwner"> {
  /** users/cdb; undefined also when there is no such file. */
  readonly inCdb: (local: string) => Control | undefined;
  readonly findSystemAccounts: FindSystemAccounts;
  readonly homeOwner: HomeOwner;
  readonly findAliases: FindAliases;
  readonly settings: GetpwSettings;
}

export interface Route {
  readonly control: Control;
  /** What qmail-local would find in the alias table. */
  readonly aliases: readonly AliasRow[];
}

const QLX_ROOT = 113;
const QLX_NOALIAS = 116;
const HARD = 100;
const SOFT = 111;

/** Who controls local@host, and which alias rows may govern it; or the status qmail-getpw would have ended with. */
export async function route(local: string, host: string, world: RouteWorld): Promise<Route | number> {
  let control: Control | undefined;
  try {
    control = world.inCdb(local) ?? (await getpw(local, world.settings, world, host));
  } catch (error) {
    if (!(error instanceof Held)) throw error;
    return error.bounce ? HARD : SOFT;
  }
  if (!control) return QLX_NOALIAS;
  if (control.uid === 0) return QLX_ROOT;
  const { user, ext } = control;
  const isMagic = world.settings.magicForwarding && magicTarget(user, local, ext) !== undefined;
  const aliases = isMagic ? [] : await world.findAliases(lower(user), aliasKeys(ext, host));
  return { control, aliases };
}
