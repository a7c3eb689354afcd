import { ControlError } from "@qmail-mysql/control";

/** The files of a certificate with its chain and of its key, and the server name that it is for; "" is the default. */
export interface CertificateFiles {
  readonly name: string;
  readonly chain: string;
  readonly key: string;
}

/**
 * Parses control/tlscerts: lines `name:chain:key`, a blank name for the default; without a key the file of the chain
 * contains it. Relative paths are below `home`. Throws ControlError.
 */
export function parseCertificates(text: string, file: string, home: string): CertificateFiles[] {
  const found = new Map<string, CertificateFiles>();
  for (const [index, whole] of text.split("\n").entries()) {
    const line = whole.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [name = "", chain = "", key = chain, ...more] = line.split(":").map((field) => field.trim());
    const where = `${file} line ${index + 1}`;
    if (chain === "" || key === "" || more.length > 0)
      throw new ControlError(`${where}: expected name:chain:key`);
    const lower = name.toLowerCase();
    if (found.has(lower)) throw new ControlError(`${where}: ${lower || "the default"} is there twice`);
    found.set(lower, { name: lower, chain: below(home, chain), key: below(home, key) });
  }
  return [...found.values()];
}

const below = (home: string, path: string) => (path.startsWith("/") ? path : `${home}/${path}`);
