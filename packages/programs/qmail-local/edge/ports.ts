import { accessSync, constants } from "node:fs";
import { qmailHome } from "@qmail-mysql/control-files";
import type { LocalPorts } from "@qmail-mysql/delivery";
import { cannotRewind, dotQmail, enterHome, exists, message } from "@qmail-mysql/maildrop";
import { say } from "@qmail-mysql/process";
import { sqldPath } from "@qmail-mysql/sqld-client";
import { openSite, sqlServerFile } from "@qmail-mysql/store";
import { errno, Trouble } from "@qmail-mysql/trouble";
import { isInherited } from "./inherited.ts";

/**
 * The ports of a delivery over the files and the database of this machine. `fd` is the descriptor of the message;
 * undefined if there is none.
 */
export function localPorts(fd: number | undefined): LocalPorts {
  const home = qmailHome();
  return {
    enterHome,
    message: () => {
      if (fd === undefined) return [];
      if (!isInherited(fd)) throw cannotRewind();
      return message(fd);
    },
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

/** Throws Trouble with a hint if this process, which runs as the user, has no permission to read the file. */
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
