import { type HomeOwner, type Mailbox, mailboxProblem } from "@qmail-mysql/accounts";
import { like, virtualPrefixes } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";
import { nameSet } from "./name-set.ts";

export interface Settings {
  readonly breakChar: string;
  readonly suspendedMail: "deliver" | "defer" | "bounce";
  readonly funkyQueries: boolean;
  /** Undefined: homes are not checked. */
  readonly homeOwner: HomeOwner | undefined;
}

/** The lines of a mailbox: =name and +name-, only =name, or none and the reason. */
export type Lines =
  | { readonly name: string; readonly mailbox: Mailbox; readonly extensions: boolean }
  | { readonly why: string };

export interface Assignable {
  /** Has to be called with every virtual host before the first mailbox. */
  virtualHost(host: string): void;
  /** Has to be called in descending order: a name after those that begin with it. */
  mailbox(name: string, row: Mailbox | { readonly wrong: string }): Lines;
}

/**
 * Selects the lines of users/cdb: only those with the result of qmail-getpw. A mailbox for which that does not return
 * the row (suspended, home of another uid, invalid characters) gets no line. A shorter name that begins it then gets no
 * + line, which would match its mail, since qmail-lspawn uses the first match. The same applies to virtual hosts, whose
 * mail arrives as virtual.com-sales: `my` must not match my-domain.com-sales.
 */
export function assignable(settings: Settings): Assignable {
  const { breakChar } = settings;
  const hosts = nameSet();
  const patterns: string[] = [];
  /** Names without a + line. */
  const reserved = nameSet();

  let dotless = false;

  /** Most names have no dot and most hosts have one; then no lookup is needed. */
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
      // A pattern may match any host, and a name may be the beginning of any host.
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
