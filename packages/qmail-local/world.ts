import { accessSync, constants } from "node:fs";
import type { LocalWorld } from "@qmail-mysql/delivery";
import { openSite, sqldPath, sqlServerFile } from "@qmail-mysql/store";
import { dotQmail, enterHome, errno, exists, qmailHome, say, Trouble } from "@qmail-mysql/unix";

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
