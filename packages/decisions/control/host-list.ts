import { lower } from "@qmail-mysql/wire";

/**
 * The entries of a list file, as qmail reads rcpthosts, locals and virtualdomains: blanks at the end of a line,
 * empty lines and lines that begin with # are ignored; a blank at the beginning is part of the entry.
 */
export function* listEntries(text: string): Generator<string> {
  for (const line of text.split("\n")) {
    const entry = line.replace(/[ \t]+$/, "");
    if (entry !== "" && !entry.startsWith("#")) yield entry;
  }
}

/** The keys that qmail-newmrh writes into control/morercpthosts.cdb for the text of control/morercpthosts. */
export function* morercpthostsKeys(text: string): Generator<string> {
  for (const entry of listEntries(text)) yield lower(entry);
}
