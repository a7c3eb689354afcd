import { splits } from "@qmail-mysql/accounts";
import { aliasInstruction } from "@qmail-mysql/dotqmail";
import {
  AliasMisconfiguration,
  type AliasRow,
  chooseAliases,
  chooseVirtual,
  VirtualMisconfiguration,
  type VirtualRow,
} from "@qmail-mysql/routing";
import { lower, splitAddress } from "@qmail-mysql/wire";

export const MAGIC_USER = "forward";

export interface RouteSettings {
  readonly breakChar: string;
  readonly aliasUser: string;
  readonly funkyQueries: boolean;
  readonly magicForwarding: boolean;
}

/** All rows of both tables at once, and the questions that qmail-getpw and qmail-local would ask them. */
export interface Routes {
  readonly settings: RouteSettings;
  readonly isAccount: (name: string) => boolean;
  /** Who controls a local part, and with what extension. */
  readonly owner: (local: string) => { user: string; ext: string };
  readonly hasAliases: (user: string, ext: string, host: string) => boolean;
  /** The addresses that rows forward to. */
  readonly forwards: (rows: readonly AliasRow[]) => string[];
  /** Where mail for an address is forwarded by the tables; [] when it is not, or not here. */
  readonly next: (address: string) => string[];
}

export function aliasName(row: AliasRow): string {
  return `alias row ("${row.username}", "${row.alias}", "${row.aliasUsername}", "${row.aliasHost}")`;
}

export function virtualName(row: VirtualRow): string {
  return `virtual row ("${row.username}", "${row.ext}", "${row.virtualUsername}", "${row.virtualHost}")`;
}

export function routesOf(
  aliases: readonly AliasRow[],
  virtuals: readonly VirtualRow[],
  isAccount: (name: string) => boolean,
  isLocal: (host: string) => boolean,
  settings: RouteSettings,
): Routes {
  const aliasesOf = groups(aliases, (row) => lower(row.username));
  const virtualAt = groups(virtuals, (row) => `${lower(row.virtualUsername)}@${lower(row.virtualHost)}`);
  const patterns = settings.funkyQueries
    ? virtuals.filter((row) => /[%_]/.test(row.virtualHost + row.virtualUsername))
    : [];

  const owner = (local: string) => {
    for (const { user, ext } of splits(lower(local), settings.breakChar)) {
      if (isAccount(user)) return { user, ext };
    }
    return { user: settings.aliasUser, ext: lower(local) };
  };
  const rowsFor = (user: string, ext: string, host: string): readonly AliasRow[] => {
    try {
      return chooseAliases(aliasesOf.get(user) ?? [], ext, host);
    } catch (error) {
      if (error instanceof AliasMisconfiguration) return [];
      throw error;
    }
  };
  const forwards = (rows: readonly AliasRow[]): string[] =>
    rows.flatMap((row) => {
      try {
        const instruction = aliasInstruction(row);
        return instruction.kind === "forward" ? [instruction.address] : [];
      } catch (error) {
        if (error instanceof AliasMisconfiguration) return [];
        throw error;
      }
    });
  const virtualRow = (local: string, host: string): VirtualRow | undefined => {
    const rows = [
      ...(virtualAt.get(`${local}@${host}`) ?? []),
      ...(virtualAt.get(`@${host}`) ?? []),
      ...patterns,
    ];
    try {
      return chooseVirtual(rows, local, host, settings.funkyQueries);
    } catch (error) {
      if (error instanceof VirtualMisconfiguration) return undefined;
      throw error;
    }
  };
  const next = (address: string): string[] => {
    const { local, host } = splitAddress(address) ?? { local: address, host: "" };
    let target = local;
    if (host !== "" && !isLocal(host)) {
      const row = virtualRow(local, host);
      if (!row) return [];
      if (settings.magicForwarding && lower(row.username) === MAGIC_USER && row.ext.includes("@"))
        return [row.ext];
      target = row.ext === "" ? row.username : `${row.username}${settings.breakChar}${row.ext}`;
    }
    const { user, ext } = owner(target);
    return forwards(rowsFor(user, ext, host));
  };
  return {
    settings,
    isAccount,
    owner,
    forwards,
    next,
    hasAliases: (user, ext, host) => rowsFor(user, ext, host).length > 0,
  };
}

function groups<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const list = map.get(key);
    if (list) list.push(row);
    else map.set(key, [row]);
  }
  return map;
}
