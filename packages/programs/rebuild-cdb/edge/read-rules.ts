import { readFileSync } from "node:fs";
import { reason, Trouble } from "@qmail-mysql/trouble";

const MAX_RULES = 1 << 26; // bytes

/** Reads the edited rules as a byte string. Throws Trouble. */
export function readRules(file: string): string {
  try {
    const text = readFileSync(file, "latin1");
    if (text.length > MAX_RULES) throw new Error(`more than ${MAX_RULES} bytes`);
    return text;
  } catch (error) {
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
}
