import { toBuffer } from "@qmail-mysql/wire";
import { nodeFs } from "./builtin.ts";

const ELF = "\x7fELF";
const LINE = 256; // bytes of a #! line that Linux reads

/**
 * Throws ENOEXEC or ENOENT if execve(2) would fail so: for a file of unknown format, or a script whose interpreter is
 * missing. For Node, whose execve aborts the process on failure.
 */
export function checkExecutable(file: string): void {
  const start = beginning(file);
  if (start === undefined || start.startsWith(ELF)) return;
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(start) ?? [];
  if (interpreter === undefined) throw Object.assign(new Error(), { code: "ENOEXEC" });
  const { accessSync, constants } = nodeFs();
  accessSync(toBuffer(interpreter), constants.X_OK);
}

/** The first bytes; undefined for a program that is executable but not readable. */
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
