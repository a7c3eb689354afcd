import { nodeFs } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer, toText } from "@qmail-mysql/wire";

const O_PATH = 0o10000000; // fcntl.h: needs no permission to read the directory

/** chdir(2) to a byte string. Throws with an errno. */
export function chdir(dir: string): void {
  const text = toText(dir);
  if (text !== undefined) {
    process.chdir(text);
    return;
  }
  // The runtime takes only text, so the directory is named by a descriptor below /proc.
  const { closeSync, constants, openSync } = nodeFs();
  const fd = openSync(toBuffer(dir), O_PATH | constants.O_DIRECTORY);
  try {
    process.chdir(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** As chdir, but throws Trouble. */
export function changeDirectory(dir: string): void {
  try {
    chdir(dir);
  } catch (error) {
    throw new Trouble(`unable to chdir to ${dir}: ${reason(error)}`);
  }
}
