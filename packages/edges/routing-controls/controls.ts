import { existsSync } from "node:fs";
import { listEntries } from "@qmail-mysql/control";
import { fileLines } from "@qmail-mysql/control-files";
import { type SendControls, virtualDomains } from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/trouble";
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
