import { ControlError } from "@qmail-mysql/control";
import { readWhole } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/**
 * Reads a control file and parses it with `parse`; `absent` is used as the text of a file that does not exist. Throws
 * Trouble with the file and the line.
 */
export function readControlFile<T>(
  file: string,
  parse: (bytes: string, file: string) => T,
  absent?: string,
): T {
  let bytes: string;
  try {
    bytes = readWhole(file);
  } catch (error) {
    if (absent === undefined || errno(error) !== "ENOENT") {
      throw new Trouble(`unable to read ${file}: ${reason(error)}`);
    }
    bytes = absent;
  }
  try {
    return parse(bytes, file);
  } catch (error) {
    if (error instanceof ControlError) throw new Trouble(`unable to use ${error.message}`);
    throw error;
  }
}
