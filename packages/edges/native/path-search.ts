import { fromText } from "@qmail-mysql/wire";

const DEFAULT_PATH = "/bin:/usr/bin"; // execvp(3)

/** The files that execvp(3) tries for a program, as byte strings. */
export function pathSearch(program: string): string[] {
  if (program === "") return [];
  if (program.includes("/")) return [program];
  const path = fromText(process.env.PATH ?? DEFAULT_PATH);
  return path.split(":").map((dir) => `${dir === "" ? "." : dir}/${program}`);
}
