import { resolve } from "node:path";
import { say } from "@qmail-mysql/process";
import { fromText } from "@qmail-mysql/wire";
import { diagnose } from "./diagnose.ts";
import { createMaildir } from "./edge/create-maildir.ts";
import { inspect } from "./edge/inspect.ts";

const PROGRAM = "qmail-pop3d-helper";

/** Reports problems of the user's Maildir on descriptor 2; with `create`, first creates it if it is missing. */
export function checkMaildir(maildir: string, create: boolean): void {
  const user = fromText(process.env.USER ?? "");
  const uid = process.getuid?.() ?? 0;
  const warn = (text: string) => {
    const line = `${PROGRAM}: warning: ${user === "" ? "" : `user ${user}: `}${text}`;
    say(line.replace(/[\0-\x1f\x7f]/g, "?")); // names may contain line ends
  };
  if (uid === 0) {
    warn("uid 0 reads no mail: the Maildir is not looked at");
    return;
  }
  const path = resolve(fromText(process.env.HOME ?? process.cwd()), maildir);
  try {
    if (create) createMaildir(path);
  } catch (error) {
    warn((error as Error).message);
  }
  for (const line of diagnose(path, uid, inspect)) warn(line);
}
