import { execFileSync } from "node:child_process";

/** The file that tinycdb makes from records of byte strings: the reference for our cdb writer. */
export function cdbOf(records: readonly (readonly [string, string])[]): Buffer {
  const input = records.map(([key, data]) => `+${key.length},${data.length}:${key}->${data}\n`).join("");
  return execFileSync("sh", ["-c", 'f=$(mktemp) && cdb -c "$f" && cat "$f" && rm "$f"'], {
    input: Buffer.from(`${input}\n`, "latin1"),
    maxBuffer: 1 << 28,
  });
}

/** The data that tinycdb finds for a key, undefined if none; throws if it cannot read the file. */
export function cdbGet(file: string, key: string): string | undefined {
  try {
    return execFileSync("cdb", ["-q", file, key], { stdio: ["ignore", "pipe", "pipe"] }).toString("latin1");
  } catch (error) {
    if ((error as { status?: number }).status === 100) return undefined;
    throw error;
  }
}
