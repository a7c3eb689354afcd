import { isatty } from "node:tty";
import { HARD, Usage } from "@qmail-mysql/trouble";
import { askSecrets, firstLine } from "../edge/secret.ts";
import { printable } from "../output/table.ts";
import { newPassword } from "./input.ts";

const INPUT_TIMEOUT = 300; // seconds to type a password, or to read one from a pipe

/** Reads a new password: twice from the terminal, else the first line of descriptor 0. */
export async function readPassword(name: string): Promise<string> {
  if (!isatty(0)) return newPassword(await firstLine(0, INPUT_TIMEOUT));
  const [first = "", second] = await askSecrets(
    [`New password for ${printable(name)}: `, "Again: "],
    INPUT_TIMEOUT,
  );
  if (first !== second) throw new Usage(HARD, "the password: expected the same one twice");
  return newPassword(first);
}

/** Reads an existing password: once from the terminal, else the first line of descriptor 0. */
export async function readOldPassword(name: string): Promise<string> {
  if (!isatty(0)) return firstLine(0, INPUT_TIMEOUT);
  const [first = ""] = await askSecrets([`Password for ${printable(name)}: `], INPUT_TIMEOUT);
  return first;
}
