import { AliasMisconfiguration, type AliasRow } from "@qmail-mysql/routing";
import { type Instruction, instruction } from "./instructions.ts";

/**
 * The instruction of a row of the alias table. A `.`, `/` or `|` alone in alias_username makes both columns one
 * .qmail line; anything else is an address; qmail-send supplies its host if alias_host is blank.
 * Throws AliasMisconfiguration for a row that would lose mail; the mail is deferred.
 */
export function aliasInstruction(row: AliasRow): Instruction {
  const wrong = (why: string): never => {
    throw new AliasMisconfiguration(row, why);
  };
  const { aliasUsername: left, aliasHost: right } = row;
  if (left === "" && right === "") return wrong("is blank: it says nothing about where the mail is to go");
  if (left === "") return wrong("has a blank alias_username: nobody has that address");
  if (/[\0\n]/.test(left + right)) return wrong("has a line end or a NUL in it");
  if (/^[./|]/.test(left)) {
    if (left.length === 1) {
      const line = `${left}${right}`.replace(/[ \t]+$/, "");
      return (line.length > 1 && instruction(line)) || wrong(`has nothing after the ${left}`);
    }
    if (right === "")
      return wrong(`has to have the ${left[0]} alone in alias_username, the rest in alias_host`);
  }
  return { kind: "forward", address: right === "" ? left : `${left}@${right}` };
}
