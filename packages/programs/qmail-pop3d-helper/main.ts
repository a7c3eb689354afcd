import { hasControl, qmailHome } from "@qmail-mysql/control-files";
import { exec, given } from "@qmail-mysql/process";
import { checkMaildir } from "./check-maildir.ts";
import { parseOptions } from "./options.ts";

/** qmail-pop3d-helper [-c] [-m maildir] prog: between checkpassword and qmail-pop3d. qmail-pop3d-helper(8). */
export async function main(args: readonly string[]): Promise<never> {
  const hasFd3 = given(3); // Dovecot's script-login speaks to what it started through it
  const { create, maildir, program } = parseOptions(args);
  const { IP, RELAYOPENED, TCPREMOTEIP } = process.env;
  // Dovecot, which sets IP, knows for itself where its mail is.
  if (IP === undefined || TCPREMOTEIP !== undefined) checkMaildir(maildir, create);
  const home = qmailHome();
  // A site without POP before SMTP has no such file, and does not pay for it; checkpassword may have done it.
  if (RELAYOPENED === undefined && hasControl(home, "sql")) {
    const { recordLogin } = await import("@qmail-mysql/relay-store/record-login");
    await recordLogin(home, "qmail-pop3d-helper", process.env);
  }
  return exec(program, {}, hasFd3 ? 3 : undefined);
}
