import { exec } from "@qmail-mysql/unix";
import { checkMaildir } from "./check-maildir.ts";
import { parseOptions } from "./options.ts";

/** qmail-pop3d-helper [-c] [-m maildir] prog: between checkpassword and qmail-pop3d. qmail-pop3d-helper(8). */
export function main(args: readonly string[]): never {
  const { create, maildir, program } = parseOptions(args);
  checkMaildir(maildir, create);
  return exec(program);
}
