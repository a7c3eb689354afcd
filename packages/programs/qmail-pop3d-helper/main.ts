import { hasControl, qmailHome } from "@qmail-mysql/control-files";
import { checkMaildir, warning } from "@qmail-mysql/pop3-maildir/check";
import { exec, given, say } from "@qmail-mysql/process";
import { fromText } from "@qmail-mysql/wire";
import { parseOptions } from "./options.ts";

/** qmail-pop3d-helper [-c] [-m maildir] prog: runs between checkpassword and qmail-pop3d. qmail-pop3d-helper(8). */
export async function main(args: readonly string[]): Promise<never> {
  const hasFd3 = given(3); // script-login of Dovecot communicates through it
  const { create, maildir, program } = parseOptions(args);
  const { IP, RELAYOPENED, TCPREMOTEIP } = process.env;
  // Dovecot, which sets IP, has its own configuration of the mail location.
  if (IP === undefined || TCPREMOTEIP !== undefined) check(maildir, create);
  const home = qmailHome();
  // Loaded only if the file exists and checkpassword has not recorded the login.
  if (RELAYOPENED === undefined && hasControl(home, "sql")) {
    const { recordLogin } = await import("@qmail-mysql/relay-store/record-login");
    await recordLogin(home, "qmail-pop3d-helper", process.env);
  }
  return exec(program, {}, hasFd3 ? 3 : undefined);
}

/** Reports problems of the user's Maildir on descriptor 2. */
function check(maildir: string, create: boolean): void {
  const { HOME, USER = "" } = process.env;
  const home = fromText(HOME ?? process.cwd());
  const path = maildir.startsWith("/") ? maildir : `${home}/${maildir}`;
  const problems =
    process.getuid?.() === 0
      ? ["uid 0 reads no mail: the Maildir is not looked at"]
      : checkMaildir(path, create);
  for (const problem of problems) say(warning("qmail-pop3d-helper", fromText(USER), problem));
}
