import { type HomeOwner, type Mailbox, mailboxProblem } from "@qmail-mysql/accounts";
import { like, virtualPrefixes } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";
import { nameSet } from "./name-set.ts";

export interface Settings {
  readonly breakChar: string;
  readonly suspendedMail: "deliver" | "defer" | "bounce";
  readonly funkyQueries: boolean;
  /** Undefined: homes are taken on trust. */
  readonly homeOwner: HomeOwner | undefined;
}

/** The lines a mailbox gets: =name and +name-, =name alone, or none, and why. */
export type Lines =
  | { readonly name: string; readonly mailbox: Mailbox; readonly extensions: boolean }
  | { readonly why: string };

export interface Assignable {
  /** To be told of every virtual host before the first mailbox. */
  virtualHost(host: string): void;
  /** Mailboxes come backwards: a name after those that begin with it. */
  mailbox(name: string, row: Mailbox | { readonly wrong: string }): Lines;
}

/**
 * What users/cdb may say in qmail-getpw's stead: only what qmail-getpw itself would answer. A mailbox it would not
 * plainly answer (held, misowned, impossible to write down) gets no line and is left to it; then no shorter
 * name gets the + line that would catch its mail: qmail-lspawn asks no further when it finds one. The
 * same goes for virtual hosts, whose mail arrives as virtual.com-sales: `my` is not to get my-domain.com's.
 */
export function assignable(settings: Settings): Assignable {
  const { breakChar } = settings;
  const hosts = nameSet();
  const patterns: string[] = [];
  /** Names without a + line. */
  const reserved = nameSet();

  let dotless = false;

  /** Most names have no dot and most hosts have one: then there is nothing to look up. */
  const isHost = (name: string) => (dotless || name.includes(".")) && hosts.has(name);
  const reserveBefore = (name: string) => {
    for (let at = name.lastIndexOf(breakChar); at > 0; at = name.lastIndexOf(breakChar, at - 1)) {
      reserved.add(name.slice(0, at));
    }
  };
  const isVirtual = (name: string) =>
    name.includes("-") &&
    virtualPrefixes(name).some(({ host }) => isHost(host) || patterns.some((pattern) => like(host, pattern)));

  return {
    virtualHost(host) {
      const name = lower(host);
      if (settings.funkyQueries && /[%_]/.test(name)) patterns.push(name);
      if (!name.includes(".")) dotless = true;
      hosts.add(name);
      reserveBefore(name);
    },
    mailbox(rowName, row) {
      const name = lower(rowName);
      const why = isVirtual(name) ? "it is an address of a virtual host" : whyNot(row, settings);
      if (why !== undefined || "wrong" in row) {
        reserveBefore(name);
        return { why: why ?? "" };
      }
      // A pattern may match any host, and any name may begin the name of a host.
      const extensions = patterns.length === 0 && !reserved.has(name) && !isHost(name);
      return { name, mailbox: row, extensions };
    },
  };
}

function whyNot(row: Mailbox | { readonly wrong: string }, settings: Settings): string | undefined {
  if ("wrong" in row) return row.wrong;
  if (row.username === "" || row.username.includes(":")) return "users/assign cannot hold its name";
  if (row.home.includes(":")) return "users/assign cannot hold its home";
  if (row.suspended && settings.suspendedMail !== "deliver") return "it is suspended";
  return mailboxProblem(row, settings.homeOwner ?? (() => ({ uid: row.uid })));
}
