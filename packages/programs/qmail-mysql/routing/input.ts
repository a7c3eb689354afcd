import { HARD, Usage } from "@qmail-mysql/trouble";
import { lower, splitAddress, toText } from "@qmail-mysql/wire";

const wrong = (what: string, expected: string): never => {
  throw new Usage(HARD, `${what}: expected ${expected}`);
};

function checked(what: string, value: string): string {
  if (/[\0-\x1f\x7f]/.test(value)) wrong(what, "no line end, tab or other control character");
  if (toText(value) === undefined) wrong(what, "UTF-8, which is what the database compares");
  return value;
}

/** A domain, in lower case; with a leading dot, all its subdomains. */
export function hostName(typed: string): string {
  const host = lower(checked("HOST", typed));
  if (host === "" || /[\s@:/]/.test(host))
    wrong(`HOST "${typed}"`, "a domain such as example.com or .example.com");
  return host;
}

/** An address of a virtual domain; an empty local part is the catch-all, % with funky queries. */
export function virtualAddress(typed: string, funky: boolean): { user: string; host: string } {
  const split = splitAddress(checked("ADDRESS", typed));
  if (!split) return wrong(`ADDRESS "${typed}"`, "sales@example.com, or @example.com for all others there");
  const user = split.local === "" && funky ? "%" : lower(split.local);
  return { user, host: hostName(split.host) };
}

/** The extension of an alias. */
export function extension(typed: string): string {
  return lower(checked("EXT", typed));
}

/** The two columns for an instruction: ./Maildir/ /an/mbox |program &address address */
export function instructionColumns(typed: string): { left: string; right: string } {
  const line = checked("INSTRUCTION", typed);
  if (/^[./|]/.test(line)) {
    if (line.trimEnd().length < 2) wrong(`INSTRUCTION "${line}"`, `something after the ${line[0]}`);
    return { left: line.slice(0, 1), right: line.slice(1) };
  }
  const address = line.replace(/^&/, "");
  if (address === "" || /^[#+&\s]/.test(address)) {
    wrong(`INSTRUCTION "${line}"`, "./Maildir/, /path/to/mbox, |command or an address");
  }
  if (/^[^@]*\/$/.test(address)) wrong(`INSTRUCTION "${line}"`, `./${line} for a Maildir below the home`);
  if (/@[^,\s]*[,\s]/.test(address))
    wrong(`INSTRUCTION "${line}"`, "one address; several go with a command for each");
  const split = splitAddress(address);
  if (!split) return { left: address, right: "" };
  if (split.local === "" || split.host === "")
    wrong(`INSTRUCTION "${line}"`, "an address such as joe@example.com");
  return { left: split.local, right: split.host };
}
