import { toBuffer } from "@qmail-mysql/wire";
import { nodeFs } from "./files.ts";

const ELF = "\x7fELF";
const LINE = 256; // bytes of a #! line that Linux looks at

/**
 * Throws ENOEXEC or ENOENT where execve(2) would answer so: a file of no known format, a script whose
 * interpreter is missing. For Node, whose execve aborts the process when it fails.
 */
export function checkExecutable(file: string): void {
  const start = beginning(file);
  if (start === undefined || start.startsWith(ELF)) return;
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(start) ?? [];
  if (interpreter === undefined) throw Object.assign(new Error(), { code: "ENOEXEC" });
  const { accessSync, constants } = nodeFs();
  accessSync(toBuffer(interpreter), constants.X_OK);
}

/** Undefined for a program that may be run but not read. */
function beginning(file: string): string | undefined {
  const { closeSync, openSync, readSync } = nodeFs();
  let fd: number | undefined;
  try {
    fd = openSync(toBuffer(file), "r");
    const bytes = Buffer.alloc(LINE);
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
