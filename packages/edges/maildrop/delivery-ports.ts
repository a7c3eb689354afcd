import type { DeliveryPorts } from "@qmail-mysql/delivery";
import { mboxQuoted } from "@qmail-mysql/dotqmail";
import { deliverToMaildir } from "./maildir.ts";
import { deliverToMbox } from "./mbox.ts";
import { message } from "./message.ts";
import { type ProgramIo, runProgram } from "./program.ts";
import { queueMessage } from "./queue.ts";

/**
 * The ports of one delivery, in the current directory and with its environment (DTLINE and the other variables of
 * qmail-command(8)). They keep no files open, so a resident process can make many deliveries.
 */
export function deliveryPorts(
  env: Readonly<Record<string, string>>,
  io: ProgramIo,
  qmailHome: string,
): DeliveryPorts {
  const { DTLINE = "", RPLINE = "", UFLINE = "", NEWSENDER = "" } = env;
  return {
    maildir: (dir) =>
      deliverToMaildir(dir.endsWith("/") ? dir : `${dir}/`, RPLINE + DTLINE, message(io.message)),
    mbox: (file) => deliverToMbox(file, mboxText(UFLINE + RPLINE + DTLINE, io.message)),
    program: (command) => runProgram(command, env, io),
    forward: (recipients) =>
      queueMessage({
        sender: NEWSENDER,
        recipients,
        head: DTLINE,
        message: message(io.message),
        env,
        qmailHome,
        err: io.err,
      }),
  };
}

function* mboxText(head: string, fd: number): Generator<string> {
  yield head;
  yield* mboxQuoted(message(fd));
}
