import { reason, Trouble } from "@qmail-mysql/trouble";
import { toText } from "@qmail-mysql/wire";

/** chdir(2) to a byte string. Throws Trouble; also for bytes that are not UTF-8, which the runtime cannot pass. */
export function changeDirectory(dir: string): void {
  const text = toText(dir);
  if (text === undefined) throw new Trouble(`unable to chdir to ${dir}: its name is not UTF-8`);
  try {
    process.chdir(text);
  } catch (error) {
    throw new Trouble(`unable to chdir to ${dir}: ${reason(error)}`);
  }
}
