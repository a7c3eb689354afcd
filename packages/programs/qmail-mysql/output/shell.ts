/** A word of a command line, quoted for sh if necessary. */
export function word(text: string): string {
  if (/^[\w./:@%+,=-]+$/.test(text)) return text;
  return text.includes("'") ? `"${text.replace(/["$`\\]/g, "\\$&")}"` : `'${text}'`;
}

/** The command that creates a Maildir, or its missing directories, for uid:gid. */
export function makeMaildir(dir: string, uid: number, gid: number, above: readonly string[] = []): string {
  const path = dir.replace(/\/$/, "");
  const dirs = [...above, path, ...["tmp", "new", "cur"].map((sub) => `${path}/${sub}`)];
  return `install -d -m 700 -o ${uid} -g ${gid} ${dirs.map(word).join(" ")}`;
}
