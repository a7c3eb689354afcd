import { readdirSync } from "node:fs";
import { withCdb } from "@qmail-mysql/routing-controls";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";

const bytes = (key: Uint8Array): string => Buffer.from(key).toString("latin1");

/** The keys of control/morercpthosts.cdb. Throws Trouble. */
export function acceptedHosts(qmailHome: string): string[] {
  return withCdb(`${qmailHome}/control/morercpthosts.cdb`, (cdb) =>
    [...(cdb?.records() ?? [])].map(({ key }) => bytes(key)),
  );
}

/** The extensions EXT of the files .qmail-EXT in a home. Throws Trouble. */
export function aliasFiles(home: string): string[] {
  try {
    return readdirSync(home, "latin1")
      .filter((name) => name.startsWith(".qmail-"))
      .map((name) => lower(name.slice(".qmail-".length)));
  } catch (error) {
    if (errno(error) === "ENOENT") return [];
    throw new Trouble(`unable to read ${home}: ${reason(error)}`);
  }
}

/** The local parts of users/cdb: exact ones, and prefixes. Throws Trouble. */
export function assignedKeys(qmailHome: string): { assigned: string[]; prefixes: string[] } {
  const assigned: string[] = [];
  const prefixes: string[] = [];
  withCdb(`${qmailHome}/users/cdb`, (cdb) => {
    for (const { key } of cdb?.records() ?? []) {
      const text = bytes(key);
      if (!text.startsWith("!")) continue;
      if (text.endsWith("\0")) assigned.push(text.slice(1, -1));
      else prefixes.push(text.slice(1));
    }
  });
  return { assigned, prefixes };
}
