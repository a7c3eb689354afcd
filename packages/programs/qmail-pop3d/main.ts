import { popTimeout } from "@qmail-mysql/control-files";
import { LineInput, serveMail } from "@qmail-mysql/pop3";
import { maildirAt, sha256 } from "@qmail-mysql/pop3-maildir";
import { say } from "@qmail-mysql/process";
import { clientOn, Gone, leave, linger } from "@qmail-mysql/socket";
import { drive } from "@qmail-mysql/steps";
import { OK, REFUSED } from "@qmail-mysql/trouble";

const AT_ONCE = 4096; // bytes of input; no other program reads after this one

/** qmail-pop3d maildir: serves the mail of its user to the client on descriptors 0 and 1. qmail-pop3d(8). */
export async function main([maildir]: readonly string[]): Promise<number> {
  if (process.getuid?.() === 0) {
    say("qmail-pop3d invoked as uid 0, terminating");
    return REFUSED;
  }
  const client = clientOn(0, 1, AT_ONCE, popTimeout("qmail-pop3d"));
  try {
    const ending = await drive(serveMail(client, new LineInput(client.read), maildirAt(maildir), sha256));
    if (ending === "refused") await linger(0);
    // The login was accepted: qmail-popup treats any other code as a refusal.
    return ending === "refused" || ending === "cut" ? leave(OK) : OK;
  } catch (error) {
    if (error instanceof Gone) return leave(OK);
    throw error;
  }
}
