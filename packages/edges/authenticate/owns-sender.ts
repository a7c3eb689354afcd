import type { OwnsSender } from "@qmail-mysql/accounts";
import { type Sqld, sqldAt, sqldPath } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";

const WAIT = 30; // seconds for qmail-sqld, which has a time limit of its own

/**
 * Whether a login may send mail with an envelope sender: with control/sqld qmail-sqld decides, in one question; else
 * this process does, with the database that control/sqlserver names.
 */
export function openOwnsSender(qmailHome: string, program: string): OwnsSender {
  let sqld: Sqld | undefined;
  let here: Promise<OwnsSender> | undefined;

  async function decide(login: string, sender: string): Promise<Awaited<ReturnType<OwnsSender>>> {
    if (`${login}${sender}`.includes("\0")) return { owns: false }; // nobody's: fields end with NUL
    const path = sqldPath(qmailHome);
    if (path !== undefined) {
      sqld ??= sqldAt(path);
      return { owns: (await sqld.ask("ownsSender", [login, sender], WAIT)) !== undefined };
    }
    here ??= import("./owns-sender-here.ts").then(({ openHere }) => openHere(qmailHome, program));
    here.catch(() => {
      here = undefined; // opened again for the next question
    });
    return (await here)(login, sender);
  }

  return (login, sender) => decide(login, sender).catch((error) => ({ trouble: reason(error) }));
}
