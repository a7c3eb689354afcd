import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { Assignment } from "@qmail-mysql/accounts";
import { type CdbReader, cdbReader } from "@qmail-mysql/cdb";
import { listEntries } from "@qmail-mysql/control";
import { fileLines } from "@qmail-mysql/control-files";
import { findAssigned, type SendControls, virtualDomains } from "@qmail-mysql/routing";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";

/** The entries of a list file, undefined if it does not exist. Throws Trouble. */
export function entries(path: string): string[] | undefined {
  if (!existsSync(path)) return undefined;
  const found: string[] = [];
  for (const line of fileLines(path)) found.push(...listEntries(line));
  return found;
}

/** The first line of a file without trailing blanks, undefined if there is none. */
function oneLine(path: string): string | undefined {
  for (const line of fileLines(path)) return line.replace(/[ \t]+$/, "");
  return undefined;
}

const lowered = (list: readonly string[]): Set<string> => new Set(list.map(lower));

/** The control files of qmail-send, with its defaults: qmail-send(8). */
export function sendControls(home: string): SendControls {
  const file = (name: string) => `${home}/control/${name}`;
  const me = oneLine(file("me"));
  const locals = entries(file("locals")) ?? (me === undefined ? undefined : [me]);
  if (!locals) throw new Trouble(`unable to read ${file("me")}: qmail-send does not start without it`);
  return {
    envnoathost: oneLine(file("envnoathost")) ?? me ?? "envnoathost",
    percenthack: lowered(entries(file("percenthack")) ?? []),
    locals: lowered(locals),
    virtualdomains: virtualDomains(entries(file("virtualdomains")) ?? []),
  };
}

/** control/rcpthosts in lower case, undefined if it does not exist. */
export function rcptHosts(home: string): Set<string> | undefined {
  const list = entries(`${home}/control/rcpthosts`);
  return list && lowered(list);
}

/** Calls `use` with a cdb, or with undefined if it does not exist. Throws Trouble. */
export function withCdb<T>(path: string, use: (cdb: CdbReader | undefined) => T): T {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return use(undefined);
    throw new Trouble(`unable to read ${path}: ${reason(error)}`);
  }
  try {
    const readAt = (position: number, length: number) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
    };
    return use(cdbReader(readAt, fstatSync(fd).size));
  } catch (error) {
    throw new Trouble(`unable to use ${path}: ${reason(error)}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Looks a local part up in users/cdb; returns the assignment and its key, undefined if qmail-lspawn would run
 * qmail-getpw. Throws Trouble if qmail-lspawn would defer.
 */
export function assigned(
  home: string,
  local: string,
): { readonly assignment: Assignment; readonly entry: string } | undefined {
  const found = withCdb(`${home}/users/cdb`, (cdb) => {
    if (!cdb) return undefined;
    return findAssigned(local, (key) => {
      const data = cdb.get(key);
      return data && Buffer.from(data).toString("latin1");
    });
  });
  if (!found) return undefined;
  const assignment = { ...found.control, dash: found.control.dash as "" | "-" };
  return { assignment, entry: found.entry };
}
