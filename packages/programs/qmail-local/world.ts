import { accessSync, constants } from "node:fs";
import { qmailHome } from "@qmail-mysql/control-files";
import type { LocalWorld } from "@qmail-mysql/delivery";
import { dotQmail, enterHome, exists } from "@qmail-mysql/maildrop";
import { say } from "@qmail-mysql/process";
import { openSite, sqldPath, sqlServerFile } from "@qmail-mysql/store";
import { errno, Trouble } from "@qmail-mysql/trouble";

/** The ports of a delivery over the files and the database of this machine. */
export function world(message: () => Iterable<Uint8Array>): LocalWorld {
  const home = qmailHome();
  return {
    enterHome,
    message,
    dotQmail,
    exists,
    now: () => new Date(),
    warn: say,
    tables: async () => {
      if (sqldPath(home) === undefined) mayRead(sqlServerFile(home));
      const { store, settings } = await openSite(home, "qmail-local");
      return { ...store, magicForwarding: settings.magicForwarding };
    },
  };
}

/** We are the user by now, and may not be trusted with the database's password. */
function mayRead(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    if (errno(error) !== "EACCES") return;
    throw new Trouble(
      `unable to read ${file} as uid ${process.getuid?.()}: access denied: run qmail-sqld and name its socket in control/sqld, or make the file readable for its users`,
    );
  }
}
