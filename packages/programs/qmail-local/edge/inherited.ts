import { readWhole } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";

const O_CLOEXEC = 0o2000000; // fcntl.h

/**
 * Was a descriptor open when this program began? If one of 0 to 2 is closed, the runtime opens /dev/null there with
 * close-on-exec, which an inherited descriptor does not have.
 */
export function isInherited(fd: number): boolean {
  try {
    const [, flags = "0"] = /^flags:\s*([0-7]+)$/m.exec(readWhole(`/proc/self/fdinfo/${fd}`)) ?? [];
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    return errno(error) !== "ENOENT";
  }
}
