import type { Row } from "@qmail-mysql/store";
import { toMailbox } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { homeState } from "../edge/home-state.ts";
import { PASSWORD_TYPES } from "../user/input.ts";
import type { Problem } from "./problem.ts";

const TYPES = Object.values(PASSWORD_TYPES).map(lower);

export interface MailboxSettings {
  readonly magicForwarding: boolean;
  /** Does mail for the user's own address go somewhere else than to the home's Maildir? */
  readonly hasOwnDelivery: (user: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** Do several rows have this name, in lower case? */
  readonly isTwice: (name: string) => boolean;
}

/** What is wrong with one row of mailbox, and with the home it names. */
export function* checkMailbox(row: Row, settings: MailboxSettings): Generator<Problem> {
  const name = row.username ?? "";
  const what = `mailbox "${name}"`;
  if (name === "") {
    yield { what, problem: "has no username", fix: "set username, or delete the row" };
    return;
  }
  if (settings.isTwice(lower(name))) {
    yield { what, problem: "another row has the same name", fix: "delete all of them but one" };
  }
  if (!TYPES.includes(lower(row.password_type ?? ""))) {
    yield {
      what,
      problem: `its password_type "${row.password_type}" is none: nobody can log in`,
      fix: `qmail-mysql user passwd ${name} --type crypt`,
    };
  }
  if (lower(name) === "forward" && settings.magicForwarding) {
    yield {
      what,
      problem: "must not exist with magic_forwarding",
      fix: "qmail-mysql user del forward, or magic_forwarding no",
    };
  }
  try {
    const box = toMailbox(row);
    const { problem, fix } = homeState(box.home, box.uid, box.gid);
    if (problem !== undefined) yield { what, problem, fix: fix ?? "" };
    else if (!settings.exists(`${box.home}/Maildir`) && !settings.hasOwnDelivery(lower(name))) {
      if (["Mailbox", ".qmail"].some((file) => settings.exists(`${box.home}/${file}`))) return;
      yield {
        what,
        problem: `has no ${box.home}/Maildir: POP3 says "this user has no $HOME/Maildir"`,
        fix: `setuidgid as uid ${box.uid}: maildirmake ${box.home}/Maildir; or qmail-pop3d-helper -c`,
      };
    }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield { what, problem: `${error.message.replace(/^.*?": /, "")}; its mail waits`, fix: "UPDATE mailbox" };
  }
}
