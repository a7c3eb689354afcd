import { lower } from "@qmail-mysql/wire";

/**
 * The entries of a list file, as qmail reads rcpthosts, locals and virtualdomains: blanks at the end of a line
 * do not count, empty lines and those beginning with # are none, a blank at the beginning is part of the entry.
 */
export function* listEntries(text: string): Generator<string> {
  for (const line of text.split("\n")) {
    const entry = line.replace(/[ \t]+$/, "");
    if (entry !== "" && !entry.startsWith("#")) yield entry;
  }
}

/** The keys of control/morercpthosts.cdb, as qmail-newmrh makes them of control/morercpthosts; the data is empty. */
export function* morercpthostsKeys(text: string): Generator<string> {
  for (const entry of listEntries(text)) yield lower(entry);
}
