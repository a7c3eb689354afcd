import { statSync } from "node:fs";

/** A text that changes whenever one of the files does. */
export function stamps(files: readonly string[]): string {
  return files
    .map((file) => statSync(file, { throwIfNoEntry: false, bigint: true }))
    .map((stat) => (stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : "none"))
    .join("\n");
}
