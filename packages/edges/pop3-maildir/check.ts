import { resolve } from "node:path";
import { diagnose } from "@qmail-mysql/pop3/diagnose";
import { createMaildir } from "./create-maildir.ts";
import { inspect } from "./inspect.ts";

/** The problems of the Maildir at a path, for the user of this process; with `create`, it is first created if missing. */
export function checkMaildir(path: string, create: boolean): string[] {
  const problems: string[] = [];
  const file = resolve(path);
  try {
    if (create) createMaildir(file);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return [...problems, ...diagnose(file, process.getuid?.() ?? 0, inspect)];
}

/** Names in a log line may contain line ends. */
export function warning(program: string, user: string, problem: string): string {
  const line = `${program}: warning: ${user === "" ? "" : `user ${user}: `}${problem}`;
  return line.replace(/[\0-\x1f\x7f]/g, "?");
}
