import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineInput, serveMail } from "@qmail-mysql/pop3";
import { maildirAt, sha256 } from "@qmail-mysql/pop3-maildir";
import { say } from "@qmail-mysql/process";
import { drive } from "@qmail-mysql/steps";
import { reason } from "@qmail-mysql/trouble";

const ENOUGH = 200; // sessions, after which the runtime has compiled what the sessions use

/** Serves sessions on a temporary maildir before there are workers, which then share what the runtime prepares. */
export async function rehearse(): Promise<void> {
  let home: string | undefined;
  try {
    home = mkdtempSync(join(tmpdir(), "qmail-popd-"));
    for (const dir of ["tmp", "new", "cur"]) mkdirSync(`${home}/${dir}`);
    for (let i = 0; i < ENOUGH; i++) {
      writeFileSync(`${home}/new/1`, "Subject: x\n\nx\n");
      utimesSync(`${home}/new/1`, 1, 1);
      const commands = Buffer.from("CAPA\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n");
      const client = { read: () => commands.subarray(0, 0), write: () => undefined };
      await drive(serveMail(client, new LineInput(client.read, commands), maildirAt(home), sha256));
    }
  } catch (error) {
    say(`qmail-popd: warning: unable to make a temporary maildir: ${reason(error)}`); // workers only start slower
  } finally {
    if (home !== undefined) rmSync(home, { recursive: true, force: true });
  }
}
